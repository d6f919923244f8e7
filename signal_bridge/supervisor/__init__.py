"""Keeps a child process alive: started, watched, restarted with back-off, ended with us."""
