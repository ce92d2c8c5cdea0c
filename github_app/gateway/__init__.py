"""The edge to GitHub: the one package that imports PyGithub; only facts and our errors leave it.

Start at ``client.py`` (how anything is asked), then ``pull_request.py`` (the snapshot) and
``check_run.py`` (what is published).
"""
