"""What is found in the texts of any data set, whatever they are labelled with."""
