"""What stands behind clean_data.py: reading, cleaning and writing a CSV file part by part."""
