import { expect, test } from 'vitest'
import { errorOf } from '../hard/support.js'
import { engines } from '../support/engines.js'
import { createStage } from '../support/scenario.js'

// The SQL is the same on all engines.
const [engine] = engines

test('a field of a composite that points to no row stops an export, and travels in a backup as it is', async () => {
  if (engine === undefined) return
  const schema = `create type money_in as (amount numeric, currency int, others int[]);
    create table currencies (id serial primary key, iso char(3) not null unique); create table prices (sku text primary key, price money_in);`
  const stage = await createStage(
    engine,
    `${schema} insert into currencies (iso) values ('EUR'); insert into prices values ('a', row(1, 1, '{1}')), ('b', row(2, 77, '{1,78}')), ('c', null), ('d', row(1, null, null))`,
    {
      references: { 'prices.price.currency': { to: 'currencies.id' }, 'prices.price.others': { to: 'currencies.id' } },
    },
  )
  expect(await errorOf(stage.export())).toEqual({
    code: 'IDENTITY_PREFLIGHT',
    text: expect.stringMatching(
      /prices: 1 row whose price\.currency points to no row: \["b"\] -> 77\nprices: 1 row whose price\.others points to no row: \["b"\] -> 78$/,
    ),
  })
  expect((await stage.export({ purpose: 'backup' })).files.map(({ records }) => records)).toEqual([1, 4])
})
