'use strict';
/* What the generators share: options of the form --name VALUE, and output that is gathered. */

const fs = require('fs');

/* Numbers where the default is one. */
function options(defaults) {
	const found = { ...defaults };
	for (let i = 2; i < process.argv.length; i += 2) {
		const name = process.argv[i].replace(/^--/, '');
		if (!(name in defaults) || process.argv[i + 1] === undefined) {
			process.stderr.write(`options: ${Object.keys(defaults).map((n) => `--${n} ${defaults[n]}`).join(' ')}\n`);
			process.exit(2);
		}
		found[name] = typeof defaults[name] === 'number' ? Number(process.argv[i + 1]) : process.argv[i + 1];
	}
	return found;
}

function writer() {
	let kept = [], size = 0;
	const flush = () => {
		const bytes = Buffer.from(kept.join(''));
		for (let at = 0; at < bytes.length;) {
			try {
				at += fs.writeSync(1, bytes, at);
			} catch (e) {
				if (e.code === 'EPIPE')
					return;
				if (e.code !== 'EAGAIN')
					throw e;
			}
		}
		kept = [];
		size = 0;
	};
	process.on('exit', flush);
	return (text) => {
		kept.push(text);
		size += text.length;
		if (size > 1 << 20)
			flush();
	};
}

module.exports = { options, writer };
