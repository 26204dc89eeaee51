'use strict';
/*
 * gzip of our own (RFC 1951, RFC 1952): greedy LZ77 over hash chains, fixed Huffman codes, mtime 0. Node's zlib differs between
 * versions and CPUs in the bytes it makes; the generator's files must be identical everywhere.
 */

const WINDOW = 32768;
const MIN_MATCH = 4;
const MAX_MATCH = 258;
const MAX_CHAIN = 48;

class BitWriter {
	constructor(capacity) {
		this.out = Buffer.alloc(capacity);
		this.n = 0;
		this.bits = 0;
		this.count = 0;
	}

	/* low bit first */
	put(value, width) {
		this.bits |= value << this.count;
		this.count += width;
		while (this.count >= 8) {
			this.out[this.n++] = this.bits & 255;
			this.bits >>>= 8;
			this.count -= 8;
		}
	}

	finish() {
		if (this.count > 0)
			this.out[this.n++] = this.bits & 255;
		return this.out.subarray(0, this.n);
	}
}

/* Huffman codes are written from their high bit on, so they are kept reversed. */
function reversed(code, width) {
	let r = 0;
	for (let i = 0; i < width; i++)
		r |= ((code >> i) & 1) << (width - 1 - i);
	return r;
}

function fixedCodes() {
	const codes = [];
	for (let s = 0; s < 288; s++) {
		if (s < 144)
			codes.push([reversed(0x30 + s, 8), 8]);
		else if (s < 256)
			codes.push([reversed(0x190 + s - 144, 9), 9]);
		else if (s < 280)
			codes.push([reversed(s - 256, 7), 7]);
		else
			codes.push([reversed(0xc0 + s - 280, 8), 8]);
	}
	return codes;
}

/* [symbol, extra bits, base] for every value, built from the tables of RFC 1951 section 3.2.5 */
function lengthTable() {
	const table = new Array(MAX_MATCH + 1);
	let base = 3;
	for (let symbol = 257; symbol < 285; symbol++) {
		const extra = symbol < 265 ? 0 : (symbol - 261) >> 2;
		for (let i = 0; i < 1 << extra && base + i < MAX_MATCH; i++)
			table[base + i] = [symbol, extra, base];
		base += 1 << extra;
	}
	table[MAX_MATCH] = [285, 0, MAX_MATCH];
	return table;
}

function distanceTable() {
	const table = [];
	let base = 1;
	for (let symbol = 0; symbol < 30; symbol++) {
		const extra = symbol < 4 ? 0 : (symbol >> 1) - 1;
		table.push([symbol, extra, base]);
		base += 1 << extra;
	}
	return table;
}

const CODES = fixedCodes();
const LENGTHS = lengthTable();
const DISTANCES = distanceTable();

function distanceOf(d) {
	let low = 0;
	let high = DISTANCES.length - 1;
	while (low < high) {
		const mid = (low + high + 1) >> 1;
		if (DISTANCES[mid][2] <= d)
			low = mid;
		else
			high = mid - 1;
	}
	return DISTANCES[low];
}

function matchLength(data, a, b) {
	const limit = Math.min(MAX_MATCH, data.length - b);
	let n = 0;
	while (n < limit && data[a + n] === data[b + n])
		n++;
	return n;
}

class Matcher {
	constructor(data) {
		this.data = data;
		this.head = new Int32Array(1 << 16).fill(-1);
		this.prev = new Int32Array(data.length).fill(-1);
	}

	hash(i) {
		const d = this.data;
		const word = d[i] | (d[i + 1] << 8) | (d[i + 2] << 16) | (d[i + 3] << 24);
		return Math.imul(word, 0x9e3779b1) >>> 16;
	}

	insert(i) {
		if (i + MIN_MATCH > this.data.length)
			return;
		const h = this.hash(i);
		this.prev[i] = this.head[h];
		this.head[h] = i;
	}

	find(i) {
		let best = 0;
		let from = 0;
		if (i + MIN_MATCH > this.data.length)
			return [best, from];
		let chain = MAX_CHAIN;
		for (let at = this.head[this.hash(i)]; at >= 0 && i - at <= WINDOW && chain > 0; at = this.prev[at], chain--) {
			const n = matchLength(this.data, at, i);
			if (n > best) {
				best = n;
				from = at;
			}
		}
		return [best, i - from];
	}
}

function deflate(data) {
	const w = new BitWriter(data.length + (data.length >> 3) + 64);
	const m = new Matcher(data);
	w.put(1, 1); /* last block */
	w.put(1, 2); /* fixed codes */
	let i = 0;
	while (i < data.length) {
		const [n, distance] = m.find(i);
		if (n < MIN_MATCH) {
			w.put(...CODES[data[i]]);
			m.insert(i++);
			continue;
		}
		const [ls, lx, lb] = LENGTHS[n];
		w.put(...CODES[ls]);
		w.put(n - lb, lx);
		const [ds, dx, db] = distanceOf(distance);
		w.put(reversed(ds, 5), 5);
		w.put(distance - db, dx);
		for (let k = 0; k < n; k++)
			m.insert(i++);
	}
	w.put(...CODES[256]);
	return w.finish();
}

function crc32(data) {
	const table = new Uint32Array(256);
	for (let n = 0; n < 256; n++) {
		let c = n;
		for (let k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
		table[n] = c >>> 0;
	}
	let crc = 0xffffffff;
	for (const byte of data)
		crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
	return (crc ^ 0xffffffff) >>> 0;
}

function gzip(data) {
	const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
	const tail = Buffer.alloc(8);
	tail.writeUInt32LE(crc32(data), 0);
	tail.writeUInt32LE(data.length >>> 0, 4);
	return Buffer.concat([head, deflate(data), tail]);
}

module.exports = { gzip };
