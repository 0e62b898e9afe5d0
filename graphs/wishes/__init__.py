"""What a customer wishes done, held against their own words before it may be proposed."""
