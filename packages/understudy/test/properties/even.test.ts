import { testSeeds } from './properties.js'

testSeeds(0, 2)
