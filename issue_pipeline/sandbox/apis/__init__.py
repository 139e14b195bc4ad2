"""The four source APIs, simulated over loopback HTTP from one world of posts."""
