"""Measurements of Pathlake through its public client, beside other tools on the same rows. See README.md."""
