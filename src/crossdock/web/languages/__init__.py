"""The languages of the pages: which one a person reads, and how numbers, money and days are written in it."""
