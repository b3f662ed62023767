import { testSeeds } from './properties.js'

testSeeds(1, 2)
