declare module 'pgpass' {
  export interface Connection {
    readonly host: string
    readonly port: number
    readonly database: string
    readonly user: string
  }
  /** Looks a connection up in the file; undefined where it has no line. */
  export default function pgpass(connection: Connection, callback: (password: string | undefined) => void): void
}
