"""What readers deliver: sheets of text cells, and how typed values become text."""
