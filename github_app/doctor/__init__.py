"""Whether an account is really protected: what was read, and what follows from it."""
