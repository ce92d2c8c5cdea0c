"""Development tools of the sandbox; nothing here runs in a test or a demo."""
