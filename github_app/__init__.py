"""Countersign: AI-assisted pull requests wait for a senior's sign-off."""
