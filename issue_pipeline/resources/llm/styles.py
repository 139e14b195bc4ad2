"""Names of the two models of a run, and of the two ways in which a model gives a title."""

# A capable model writes a title; a weak one chooses it among those offered.
WRITE = "write"
CHOOSE = "choose"
STYLES = (WRITE, CHOOSE)
LOCAL = "local"
REMOTE = "remote"
