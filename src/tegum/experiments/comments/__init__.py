"""Comments that the paper prints, and their authors' questions."""
