declare module 'fs-native-extensions' {
  /** Asks the operating system for an exclusive lock on a range of bytes; false when another open file holds it. */
  export function tryLock(fd: number, offset?: number, length?: number): boolean
  export function unlock(fd: number, offset?: number, length?: number): void
}
