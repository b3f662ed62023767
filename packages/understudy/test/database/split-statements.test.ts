import { expect, test } from 'vitest'
import { readStatements, splitStatements } from '../../src/database/split-statements.js'

test.each([
  ['two statements', 'a; b;', ['a', 'b']],
  ['a semicolon in a literal', "select ';', 'it''s;'; b", ["select ';', 'it''s;'", 'b']],
  [
    'a backslash before a quote counts in e-literals only',
    String.raw`select e'\';', '\'; b`,
    [String.raw`select e'\';', '\'`, 'b'],
  ],
  ['a name that ends in e is no e-literal', String.raw`select type'\'; b`, [String.raw`select type'\'`, 'b']],
  ['a quoted name', 'create table "a;""b" (); b', ['create table "a;""b" ()', 'b']],
  ['dollar quotes', 'do $$ begin; end $$; b', ['do $$ begin; end $$', 'b']],
  ['tagged dollar quotes around others', 'do $x$ $$;$$ ; $y$ $x$; b', ['do $x$ $$;$$ ; $y$ $x$', 'b']],
  ['a parameter is no dollar quote', 'execute p($1); select a$1$; b', ['execute p($1)', 'select a$1$', 'b']],
  [
    'an escaped and a doubled quote in an e-literal',
    String.raw`select E'\''';'; b`,
    [String.raw`select E'\''';'`, 'b'],
  ],
  ['a tag in capitals is another tag', 'do $x$ $X$; $x$; b', ['do $x$ $X$; $x$', 'b']],
  [
    'the body of a routine in standard SQL',
    'create or replace function f() returns int begin atomic select case when true then 1 end; select 2; end; b',
    ['create or replace function f() returns int begin atomic select case when true then 1 end; select 2; end', 'b'],
  ],
  ['a literal that is not closed', "a; select '; b", ['a', "select '; b"]],
  ['line comments', 'a -- x; y\n; b -- ;', ['a -- x; y', 'b -- ;']],
  ['nested block comments', 'a /* ; /* ; */ ; */; b', ['a /* ; /* ; */ ; */', 'b']],
  [
    'the body of a rule',
    'create rule r as on insert to t do (a; b); c',
    ['create rule r as on insert to t do (a; b)', 'c'],
  ],
  ['nothing but comments', '-- a\n; /* b */ ; ;', []],
])('%s', (_, script, statements) => {
  expect(splitStatements(script)).toEqual(statements)
})

test('tells the line that a statement begins in, comments aside', () => {
  const script = `-- one\nselect 'a\nb';\n\n/* x\n */ "C" commit; d`
  expect(readStatements(script).map(({ line, words }) => [line, words])).toEqual([
    [2, ['select']],
    [6, ['commit']],
    [6, ['d']],
  ])
})

test('reads literals of any length', () => {
  const long = 'x'.repeat(20_000_000)
  expect(splitStatements(`select '${long}'; select $$${long}$$; select e'${long}'; b`)).toHaveLength(4)
})
