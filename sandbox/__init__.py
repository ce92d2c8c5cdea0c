"""A GitHub on localhost: stateful, strict, made to try, test and measure against."""
