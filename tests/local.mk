# Tests that belong to no single room, and what the tests share.
