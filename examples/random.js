'use strict';
/* The tests' generator of numbers that are the same on every machine. */
module.exports = require('../tests/gen/prng.js');
