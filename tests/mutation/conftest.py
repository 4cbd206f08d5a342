"""There are no tests in this folder. pytest skips it, so that it does not need Cosmic Ray."""

collect_ignore_glob = ["*.py"]
