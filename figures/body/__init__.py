"""The drawn body: outline, organs, where a lesion's location lies, and room for its labels."""
