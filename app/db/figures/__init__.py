"""What a tenant's runs came to by the hour: measured from rows, and rolled up."""
