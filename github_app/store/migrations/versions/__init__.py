"""One module a revision, oldest first. Only ever add: older versions are still running."""
