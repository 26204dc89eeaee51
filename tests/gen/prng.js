'use strict';
/*
 * Pseudo random numbers that are the same on every machine: xoshiro128** (Blackman and Vigna, public domain description), its four
 * words filled by splitmix32 from the seed. Only 32-bit integer arithmetic, so no engine or CPU can give another sequence.
 */

function splitmix32(seed) {
	let a = seed >>> 0;
	return () => {
		a = (a + 0x9e3779b9) >>> 0;
		let t = a ^ (a >>> 16);
		t = Math.imul(t, 0x21f0aaad);
		t ^= t >>> 15;
		t = Math.imul(t, 0x735a2d97);
		return (t ^ (t >>> 15)) >>> 0;
	};
}

const rotl = (x, k) => ((x << k) | (x >>> (32 - k))) >>> 0;

class Rng {
	constructor(seed) {
		const next = splitmix32(seed);
		this.s = [next(), next(), next(), next()];
	}

	u32() {
		const s = this.s;
		const result = Math.imul(rotl(Math.imul(s[1], 5) >>> 0, 7), 9) >>> 0;
		const t = (s[1] << 9) >>> 0;
		s[2] = (s[2] ^ s[0]) >>> 0;
		s[3] = (s[3] ^ s[1]) >>> 0;
		s[1] = (s[1] ^ s[2]) >>> 0;
		s[0] = (s[0] ^ s[3]) >>> 0;
		s[2] = (s[2] ^ t) >>> 0;
		s[3] = rotl(s[3], 11);
		return result;
	}

	/* 0 .. n-1 */
	int(n) {
		return this.u32() % n;
	}

	/* low .. high, both included */
	range(low, high) {
		return low + this.int(high - low + 1);
	}

	/* true in `permille` of 1000 */
	chance(permille) {
		return this.int(1000) < permille;
	}

	pick(list) {
		return list[this.int(list.length)];
	}

	/* [[weight, value], ...] */
	weighted(table) {
		let left = this.int(table.reduce((sum, [w]) => sum + w, 0));
		for (const [w, value] of table) {
			if (left < w)
				return value;
			left -= w;
		}
		throw new Error('weights');
	}

	hex(digits) {
		let out = '';
		while (out.length < digits)
			out += this.u32().toString(16).padStart(8, '0');
		return out.slice(0, digits);
	}

	/* most ids are 32 hex digits, some dashed UUIDs */
	id() {
		const h = this.hex(32);
		if (!this.chance(200))
			return h;
		return [h.slice(0, 8), h.slice(8, 12), h.slice(12, 16), h.slice(16, 20), h.slice(20)].join('-');
	}

	shuffle(list) {
		for (let i = list.length - 1; i > 0; i--) {
			const j = this.int(i + 1);
			[list[i], list[j]] = [list[j], list[i]];
		}
		return list;
	}
}

module.exports = { Rng };
