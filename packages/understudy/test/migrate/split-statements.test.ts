import { expect, test } from 'vitest'
import { splitStatements } from '../../src/migrate/split-statements.js'

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
