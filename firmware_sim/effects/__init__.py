"""One file for each thing that makes real rolling differ from a cylinder on an ideal floor."""
