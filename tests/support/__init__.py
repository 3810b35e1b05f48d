"""What tests are made of: real servers, the programs under test, and how to wait for them."""
