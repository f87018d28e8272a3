"""What a page reads from a trial: numbers in the form that the page's figures and tables take."""
