/** A value to carry over: its type and its literal, or, with `sql`, an expression. */
export interface Sample {
  readonly type: string
  readonly literal?: string
  readonly sql?: string
  /** The oldest major version that has it. */
  readonly since?: number
  /** The extension that it needs. */
  readonly extension?: string
}

/** Types of the samples. Made in the source and in the target, with the same names and nothing else in common. */
export const TYPES = `
create schema "My Types";
create type mood as enum ('sad', 'ok, "fine"', 'über', '');
create type "My Types"."Mood of ""Day""" as enum ('b', 'a');
create type pair as (a int, b text);
create type dropped as (a int, gone text, b text);
alter type dropped drop attribute gone;
create type nothing as ();
create type one_text as (t text);
create type nested as (p pair, ps pair[], j json, jb jsonb, m money, d daterange, f float8, "Odd ""name" inet);
create domain positive as int check (value > 0);
create domain very_positive as positive check (value > 10);
create domain ints as int[];
create domain positives as positive[];
create domain cash as money;
create domain document as json;
create domain document_b as jsonb;
create domain moment as timestamptz(3);
create domain feeling as mood;
create domain couple as pair check (value is null or (value).a is not null);
create domain days as daterange;
create domain address as inet;
create domain code as char(4);
create type floats as range (subtype = float8, subtype_diff = float8mi);
create type words as range (subtype = text, collation = "C");
create type moments as range (subtype = timetz);
create type shouted as enum ('one', 'two');
create function shout(shouted) returns text language sql immutable as $$ select 'cast, not output' $$;
create cast (shouted as text) with function shout(shouted);
create function point_as_json(pair) returns json language sql immutable as $$ select '{"cast": "to json"}'::json $$;
create cast (pair as json) with function point_as_json(pair);
`

const CONTROLS = `(select string_agg(chr(i), '') from generate_series(1, 160) i)`

const groups: Record<string, readonly (readonly [string, string] | Sample)[]> = {
  numbers: [
    ['boolean', 't'],
    ['smallint', '-32768'],
    ['integer', '2147483647'],
    ['bigint', '-9223372036854775808'],
    ['bigint', '9007199254740993'],
    { type: 'numeric', sql: `repeat('1234567890', 100)::numeric` },
    { type: 'numeric', sql: `('-0.' || repeat('0987654321', 100))::numeric` },
    ['numeric', '1.000'],
    ['numeric', '0.00000000000000000000'],
    ['numeric', '1e131071'],
    ['numeric', 'NaN'],
    ['numeric', 'Infinity'],
    ['numeric', '-Infinity'],
    ['numeric(10,2)', '-1.10'],
    { type: 'numeric(3,-2)', literal: '12345', since: 15 },
    ['real', '-0'],
    ['real', '1e-45'],
    ['real', '3.4028235e38'],
    ['real', '0.1'],
    ['real', 'NaN'],
    ['double precision', '-0'],
    ['double precision', '5e-324'],
    ['double precision', '1.7976931348623157e308'],
    ['double precision', '0.30000000000000004'],
    ['double precision', 'NaN'],
    ['double precision', '-Infinity'],
    ['money', '-92233720368547758.08'],
    ['money', '1234.56'],
    ['money', '92233720368547758.07'],
    ['oid', '4294967295'],
    ['bit(5)', '10101'],
    ['bit', '1'],
    ['varbit', ''],
    ['varbit(12)', '000111'],
  ],
  texts: [
    ['text', ''],
    ['text', 'null'],
    ['text', '\\.'],
    ['text', '\\N'],
    ['text', '  spaces\tand tab '],
    ['text', '{"$json": null}'],
    ['text', '"\\u0000"'],
    { type: 'text', sql: CONTROLS },
    { type: 'text', sql: `E'a\\r\\nb\\rc\\nd\\u2028e\\u2029f\\u0085g\\ufeffh\\ufffei\\uffffj'` },
    ['text', '🦉 e\u0301 \u200d 漢字'],
    { type: 'text', sql: `repeat('x', 3000000)` },
    { type: 'varchar', sql: CONTROLS },
    ['varchar(3)', 'ab '],
    ['character(5)', 'ab'],
    ['character(3)', ''],
    ['bpchar', 'ab  '],
    ['"char"', 'x'],
    ['"char"', ''],
    ['name', 'a "name"'],
    ['text collate "C"', 'é'],
    { type: 'bytea', sql: `decode('', 'hex')` },
    {
      type: 'bytea',
      sql: `(select decode(string_agg(lpad(to_hex(i), 2, '0'), '' order by i), 'hex') from generate_series(0, 255) i)`,
    },
    ['uuid', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'],
    ['mood', 'ok, "fine"'],
    ['mood', ''],
    ['"My Types"."Mood of ""Day"""', 'a'],
    ['shouted', 'two'],
  ],
  times: [
    ['date', '0044-03-15 BC'],
    ['date', '4713-01-01 BC'],
    ['date', '5874897-12-31'],
    ['date', 'infinity'],
    ['date', '-infinity'],
    ['date', '2024-02-29'],
    ['time', '24:00:00'],
    ['time', '00:00:00.000001'],
    ['time(3)', '12:34:56.789'],
    ['timetz', '24:00:00-15:59'],
    ['timetz', '12:34:56.789012+05:30:15'],
    ['timetz', '00:00:00+15:59:59'],
    ['timestamp', '2024-03-31 02:30:00.123456'],
    ['timestamp', '4713-01-01 00:00:00 BC'],
    ['timestamp', '294276-12-31 23:59:59.999999'],
    ['timestamp', 'infinity'],
    ['timestamp(0)', '2024-03-31 02:30:00'],
    ['timestamptz', '2024-10-27 02:30:00+01'],
    ['timestamptz', '1883-11-18 12:03:58 America/New_York'],
    ['timestamptz', '0001-01-01 00:00:00+00 BC'],
    ['timestamptz', '10000-01-01 00:00:00+00'],
    ['timestamptz', '294276-12-31 23:59:59.999999+00'],
    ['timestamptz', '-infinity'],
    ['interval', '1 year -2 mons +3 days -04:05:06.789012'],
    ['interval', '-178000000 years'],
    ['interval', '30 days'],
    ['interval', '1 mon'],
    ['interval', '-00:00:00.000001'],
    ['interval', '0'],
    ['interval day to second(2)', '1 day 02:03:04.05'],
    { type: 'interval', literal: 'infinity', since: 17 },
  ],
  documents: [
    ['jsonb', 'null'],
    ['jsonb', '{"$json": null}'],
    ['jsonb', '{"$json": {"$json": 1}, "b": 2}'],
    ['jsonb', '["$json"]'],
    ['jsonb', '"$json"'],
    ['jsonb', '{"a": 1.0, "b": 1e400, "c": [null, {}], "é": "\\u0001\\n\\"\\\\"}'],
    ['jsonb', '-0'],
    ['jsonb', '{}'],
    ['jsonb', '[]'],
    ['jsonb', '""'],
    ['jsonb', 'false'],
    ['json', 'null'],
    ['json', ' {"b" : 1,\n\t"a":  [ 1.0 , 1E5 ], "b": 2 } '],
    ['json', '"\\u0000"'],
    ['json', '{"x": "\\ud83e\\udd89"}'],
    ['json', '""'],
    ['json[]', '{"null","{\\"a\\":  1}",NULL}'],
    ['jsonb[]', '{"null","{\\"$json\\": 1}",NULL,"\\"x\\""}'],
    ['jsonb[]', '{{"1","2"},{"3",NULL}}'],
    ['jsonpath', '$."a"[*]?(@ > 1 && @ < 2).type()'],
    ['jsonpath', 'strict $.x ? (@ like_regex "^a\\"b" flag "i")'],
  ],
  arrays: [
    ['int[]', '{}'],
    ['int[]', '{1,NULL,3}'],
    ['int[]', '{{1,2},{3,4}}'],
    ['int[]', '{{{1},{2}},{{3},{4}}}'],
    ['int[]', '[0:2]={1,2,3}'],
    ['int[]', '[-3:-2][2:3]={{1,2},{3,4}}'],
    ['int[]', '[1:1][2:3]={{1,2}}'],
    ['text[]', '{NULL,"NULL","","a,b","{x}","q\\"uote","back\\\\slash"," "}'],
    ['text[]', '[2:2]={"[1:1]={x}"}'],
    { type: 'text[]', sql: `array[${CONTROLS}, null]` },
    ['varchar(3)[]', '{ab,abc}'],
    ['character(4)[]', '{ab,abcd}'],
    ['numeric[]', '{1.00,NaN,1e100}'],
    ['float8[]', '{-0,NaN,-Infinity,0.1}'],
    ['boolean[]', '{t,NULL,f}'],
    ['date[]', '{infinity,"0044-03-15 BC",2024-01-01}'],
    ['timestamptz[]', '{"2024-06-01 12:00:00.000001+02",infinity,NULL}'],
    ['timestamp[]', '{"0044-03-15 12:00:00 BC","294276-12-31 23:59:59"}'],
    ['timetz[]', '{24:00:00+01}'],
    ['interval[]', '{"1 mon","-1 days",NULL}'],
    ['bytea[]', '{"\\\\x00ff","\\\\x",NULL}'],
    ['money[]', '{$1.50,-$2.00}'],
    ['uuid[]', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}'],
    ['inet[]', '{10.0.0.1,10.0.0.0/8}'],
    ['mood[]', '{sad,"ok, \\"fine\\"","",NULL}'],
    ['shouted[]', '{one,two}'],
    ['pair[]', '{"(1,)","(,\\"x y\\")","(,)",NULL}'],
    ['pair[]', '[5:5]={"(1,\\"a\\"\\"b\\")"}'],
    ['positive[]', '{1,2}'],
    ['daterange[]', '{"[2024-01-02,2024-03-04)",empty,NULL}'],
    ['point[]', '{"(1,2)","(0.1,-0)"}'],
    ['box[]', '{(2,2),(1,1);(4,4),(3,3)}'],
    ['int2vector', '1 2 3'],
    ['int2vector', ''],
    ['oidvector', '1 2 4294967295'],
    ['oidvector', ''],
    ['int2vector[]', '{"1 2",""}'],
    ['name[]', '{a,"b c"}'],
    ['"char"[]', '{a,b}'],
    ['bit(3)[]', '{101,010}'],
  ],
  composites: [
    ['pair', '(1,)'],
    ['pair', '(,"")'],
    ['pair', '(,)'],
    ['pair', '(1,"a ""quoted"" \\\\ (b),c")'],
    ['dropped', '(1,kept)'],
    ['dropped[]', '{"(1,kept)","(,)"}'],
    ['nothing', '()'],
    ['one_text', '("")'],
    ['one_text', '()'],
    [
      'nested',
      '("(1,x)","{""(2,y)"",NULL}","{""a"":  1}","null",$5.00,"[2024-02-03,2024-04-05)",0.30000000000000004,10.1.0.0/16)',
    ],
    ['nested', '(,,,,,,,)'],
    ['couple', '(1,two)'],
    { type: 'one_text', sql: `row(${CONTROLS})::one_text` },
  ],
  domains: [
    ['positive', '7'],
    ['very_positive', '77'],
    ['ints', '{1,2}'],
    ['ints', '[0:1]={1,2}'],
    ['ints', '{}'],
    ['positives', '{{1},{2}}'],
    ['cash', '12.34'],
    ['document', ' {"a" :1} '],
    ['document_b', 'null'],
    ['document_b', '{"$json": 1}'],
    ['moment', '2024-05-06 07:08:09.123456+02'],
    ['feeling', 'über'],
    ['days', '[2024-02-03,2024-04-05)'],
    ['address', '10.0.0.1'],
    ['code', 'ab'],
    ['information_schema.sql_identifier', 'x'],
    ['information_schema.yes_or_no', 'YES'],
  ],
  ranges: [
    ['int4range', '(1,5]'],
    ['int4range', 'empty'],
    ['int8range', '(,)'],
    ['numrange', '[1.0,1.00]'],
    ['daterange', '[2024-02-03,2024-04-05)'],
    ['daterange', '[-infinity,infinity)'],
    ['tsrange', '["2024-02-03 04:05:06.000001",)'],
    ['tstzrange', '("2024-02-03 04:05:06+07","2024-05-06 00:00:00+00"]'],
    ['floats', '[0.1,0.30000000000000004)'],
    ['words', '["a,b","c""d")'],
    ['moments', '[10:00:00+01,24:00:00-05]'],
    ['int4multirange', '{[1,2),[5,7)}'],
    ['datemultirange', '{[2024-02-03,2024-04-05),[2025-06-07,)}'],
    ['tstzmultirange', '{["2024-02-03 04:05:06+07","2024-05-06 00:00:00+00")}'],
    ['nummultirange', '{}'],
    ['floats[]', '{"[0.1,0.2)",NULL}'],
    ['int4multirange[]', '{"{[1,2),[5,7)}"}'],
  ],
  shapes: [
    ['point', '(0.1,-0)'],
    ['point', '(NaN,Infinity)'],
    ['line', '{1,-1,0.30000000000000004}'],
    ['lseg', '[(1,2),(3,4)]'],
    ['box', '(3,4),(1,2)'],
    ['path', '[(0,0),(1.1,1)]'],
    ['path', '((0,0),(1,1e-300))'],
    ['polygon', '((0,0),(1,1),(2,0))'],
    ['circle', '<(1.5,2),0.1>'],
  ],
  networks: [
    ['inet', '10.0.0.1'],
    ['inet', '10.0.0.1/8'],
    ['inet', '::ffff:1.2.3.4/96'],
    ['cidr', '10.0.0.0/8'],
    ['cidr', '10.0.0.1'],
    ['cidr', '::/0'],
    ['macaddr', '08:00:2b:01:02:03'],
    ['macaddr8', '08:00:2b:01:02:03:04:05'],
    ['pg_lsn', 'FFFFFFFF/0'],
    ['regtype', 'pg_catalog.int4'],
    ['regclass', 'pg_catalog.pg_class'],
    ['regproc', 'pg_catalog.now'],
    ['regrole', 'postgres'],
    ['regnamespace', '"My Types"'],
  ],
  searches: [
    ['tsvector', `'a b':1A,2 'it''s':3C '\\\\':4`],
    ['tsvector', ''],
    ['tsquery', `'a b' & !( 'c':*AB | 'd' <2> 'e' )`],
    ['tsquery', ''],
    ['xml', '<a b="c">ü&amp;<!-- x --> <d/></a>'],
    ['xml', 'plain &lt; text'],
    ['xml', ''],
    ['xml', '<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'],
    ['xml', '<?xml version="1.1" standalone="yes"?>\n<a/>'],
    ['xml[]', '{"<a b=\\"c\\"/>","x"}'],
  ],
  extensions: [
    { type: 'hstore', literal: 'a=>1, "b c"=>NULL, "d\\"e"=>"", "f=>"=>"\\\\"', extension: 'hstore' },
    { type: 'hstore', literal: '', extension: 'hstore' },
    { type: 'hstore[]', literal: '{"a=>1",NULL}', extension: 'hstore' },
    { type: 'citext', literal: 'MiXed "É"\n', extension: 'citext' },
    { type: 'citext[]', literal: '{A,a,NULL,""}', extension: 'citext' },
    { type: 'ltree', literal: 'Top.Science_1.x', extension: 'ltree' },
    { type: 'ltree', literal: '', extension: 'ltree' },
    { type: 'lquery', literal: '*.!a|b@*{2,3}.c', extension: 'ltree' },
    { type: 'ltxtquery', literal: 'a & !b@ | c*', extension: 'ltree' },
    { type: 'ltree[]', literal: '{a.b,c}', extension: 'ltree' },
    { type: 'cube', literal: '(0.1,2),(-0,4)', extension: 'cube' },
    { type: 'seg', literal: '1.50 .. 2.000', extension: 'seg' },
    { type: 'isbn13', literal: '978-0-306-40615-7', extension: 'isn' },
    { type: 'query_int', literal: '1&(2|!3)', extension: 'intarray' },
  ],
}

/** Every sample with its group. */
export const samples: readonly (Sample & { readonly group: string })[] = Object.entries(groups).flatMap(
  ([group, entries]) =>
    entries.map((entry) => {
      const sample: Sample = 'type' in entry ? entry : { type: entry[0], literal: entry[1] }
      return { ...sample, group }
    }),
)
