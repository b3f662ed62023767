export { ERROR_CODES, type ErrorCode, type ErrorFacts, UnderstudyError } from './errors.js'
