'use strict';
/* Invented people, places and questions. */

module.exports = {
	given: ['Amina', 'Ana', 'Bo', 'Chikondi', 'Dalitso', 'Esnart', 'Fatou', 'Grace', 'Hawa', 'Imran', 'José', 'Kondwani', 'Lucía',
		'Márta', 'Ngozi', 'Øyvind', 'Priya', 'Rút', 'Søren', 'Thandiwe', 'Ümit', 'Wanjikũ', 'Zoë', '小玲', 'Любовь', 'అమ్మ',
		'নাজমা', 'D\'Arcy', 'Tom & Tim', 'Ann "Nan"', '<none>', '🙂 Joy'],
	family: ['Banda', 'Phiri', 'Mwale', 'García', 'Nuñez', 'Okafor', 'Kamanga', 'Tembo', 'O\'Hara', 'Jansen', 'Šimić', 'Đorđević',
		'Nguyễn', 'Khumalo', 'Sow', 'Traoré'],
	villages: ['Mulanje', 'Thyolo', 'Nkhata Bay', 'Dedza', 'Salima', 'Ntcheu', 'São Tomé', 'Kasungu', 'Zomba', 'Lilongwe', 'Phalombe'],
	users: ['nora', 'felix', 'chw01', 'chw02', 'chw17', 'sup.east', 'sup.west', 'imported', 'ana@demo-clinic', 'josé'],
	types: ['patient', 'household', 'pregnancy', 'child', 'referral', 'lab_sample', 'supply-point'],
	properties: ['village', 'weight', 'muac', 'edd', 'hiv_status', 'next_visit', 'phone', 'dob', 'risk-level', 'notes', 'visit_count',
		'last_seen_at', 'sex', 'bp', 'gps', 'lang'],
	notes: ['', 'came back', 'refused; will be seen again', 'weight < 5 kg & falling', 'a "quoted" word', 'line one\nline two',
		'tab\there', 'naïve café', '体重が軽い', 'ok 👍🏽', 'see http://example.org/a?b=c&d=e', 'ends with a blank '],
	forms: [
		['Registration', 'http://openrosa.org/formdesigner/register-1'], ['Home visit', 'http://openrosa.org/formdesigner/visit-1'],
		['Suivi prénatal', 'http://openrosa.org/formdesigner/anc-2'], ['Close', 'http://openrosa.org/formdesigner/close-1'],
		['Household', 'http://openrosa.org/formdesigner/household-3'], ['Lab result', 'http://openrosa.org/formdesigner/lab-1'],
	],
};
