"""Results too large to be opened whole: a pyramid of pictures over a data set of cells."""
