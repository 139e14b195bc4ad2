"""The steps of text cleaning; ``utils/text_cleaning.py`` puts them together."""
