"""One module for each command of ``countersign``; ``cli.py`` lists them."""
