/**
 * Every code of an error that Understudy raises itself: what it means, and what to do about it.
 * `docs/errors.md` is generated from this table.
 */
export const ERROR_CODES = {
  CONFIG_NOT_FOUND: {
    meaning: 'a configuration file that was named does not exist',
    remedy: 'Correct the path after `--config`, or leave the option out.',
  },
  CONFIG_INVALID: {
    meaning: 'the configuration does not fit its own rules or the catalog; every problem is listed',
    remedy: 'Correct every line of the detail in `understudy.config.ts`.',
  },
  CONFIG_EXISTS: {
    meaning: 'a configuration would be written over one that is there',
    remedy: 'Move the file away, or say `understudy init --force`.',
  },
  USAGE: {
    meaning: 'the command line is not one that the program knows, or an option is missing',
    remedy: 'Read `understudy <command> --help`: it shows examples.',
  },
  CANCELLED: {
    meaning: 'the work was interrupted or declined; it was rolled back',
    remedy: 'Nothing was written: run the command again when ready.',
  },
  MIGRATION_FILES_INVALID: {
    meaning:
      'files in the migrations folder have a bad name, share a number, cannot be read, stand in no package, or would end their transaction',
    remedy:
      'Rename the files that the detail names, or correct `migrations.packages` in the configuration; take out statements that begin or end a transaction.',
  },
  MIGRATION_DRIFT: {
    meaning:
      'applied migrations and their files disagree: a file was changed, is missing, or came in before applied ones; or the application lists migrations that the ledger does not have',
    remedy:
      'Bring back the file as it was applied, and put the change into a new migration; or give the override that the detail names.',
  },
  MIGRATION_UNFINISHED: {
    meaning:
      'a migration without a transaction, or one that ended its own, was begun and not seen to its end; nothing runs until a person has looked',
    remedy: 'Look what of it stands, then say `understudy migrate resolve` with `--applied` or `--pending`.',
  },
  MIGRATION_IRREVERSIBLE: {
    meaning: 'migrations that should be taken back have no `down`; nothing was taken back',
    remedy: 'Write a `down` for each that the detail names, or a new migration that changes things back.',
  },
  MIGRATION_LOCK_TIMEOUT: {
    meaning: 'a migration waited too long for a lock, each time that it was tried; it was rolled back',
    remedy:
      'Run it again when the sessions that the detail names are done, or give it more time with `--lock-timeout`.',
  },
  MIGRATION_RANGE_INVALID: {
    meaning: 'the packages or the migration asked for do not exist, are reversed, or skip pending predecessors',
    remedy: 'Compare `--from`, `--to`, `--only` and DB_MIGRATION_STARTWITH / ENDWITH with `understudy migrate status`.',
  },
  MIGRATION_FAILED: {
    meaning: 'a migration failed; it was rolled back unless the detail says what stands, those before it stand',
    remedy: 'Correct the file at the place that the detail names and run `understudy migrate up` again.',
  },
  BACKUP_FAILED: {
    meaning:
      'the archive that must be there before a migration could not be written, or not be read back; nothing was migrated',
    remedy: 'Mend the cause that the message names, or say `--no-backup`.',
  },
  DATA_LOSS: {
    meaning: 'a migration would lose data that nothing allows it to lose; it was rolled back',
    remedy:
      'Keep the data, or allow the loss by the words that the hint prints, in the migration or with `--allow-loss`.',
  },
  REHEARSAL_FAILED: {
    meaning: 'migrations that were tried out on a copy of the data failed there; the database itself was not touched',
    remedy: 'Read the cause, correct the migration that the message names, and rehearse again.',
  },
  REHEARSAL_IMPOSSIBLE: {
    meaning:
      'a scratch database cannot hold what the archive needs: an extension, a level of the schema that the files do not give',
    remedy: 'Name a PostgreSQL server with `--scratch-url`, or bring the migration files to the level of the archive.',
  },
  RESTORE_REFUSED: {
    meaning:
      'an archive cannot be put back as it was: another level of the schema, masked values, or more rows to remove than is allowed',
    remedy: 'Read the detail: it names what does not fit, and the hint names the word that allows it.',
  },
  ARCHIVE_LEVEL_OLDER: {
    meaning: 'the archive is from an earlier level of the schema than the database',
    remedy: 'Bring it to the level of today with `understudy upgrade`, or import with `--upgrade`.',
  },
  ARCHIVE_LEVEL_NEWER: {
    meaning: 'the archive is from a later level of the schema than the database',
    remedy: 'Run `understudy migrate up` on the database first.',
  },
  DATABASE_URL_INVALID: {
    meaning: 'the address of a database cannot be understood',
    remedy:
      'Write `postgres://role:password@host:5432/database` or `pglite:./folder`; percent-encode special characters in the password.',
  },
  SERVER_UNREACHABLE: {
    meaning: 'no PostgreSQL server answers at the address',
    remedy: 'Check host and port in the URL, that the server is running, and firewalls in between.',
  },
  SERVER_NOT_READY: {
    meaning: 'the server is starting up, shutting down or recovering',
    remedy: 'Try again in a moment.',
  },
  SERVER_UNFIT: {
    meaning: 'a server answers, and is not what `target_session_attrs` asks for',
    remedy: 'Name another host as well, or choose other `target_session_attrs` in the URL.',
  },
  SERVER_TOO_OLD: {
    meaning: 'the server is older than PostgreSQL 14',
    remedy: 'Use PostgreSQL 14 or newer.',
  },
  AUTHENTICATION_FAILED: {
    meaning: 'the server does not let this role in: password, role or pg_hba.conf',
    remedy: 'Check role and password in the URL, and `pg_hba.conf` on the server.',
  },
  DATABASE_NOT_FOUND: {
    meaning: 'the server has no database of that name',
    remedy: 'Create the database, or correct its name at the end of the URL.',
  },
  PRIVILEGE_MISSING: {
    meaning: 'the role lacks a privilege that is needed',
    remedy: 'Let the owner grant what the detail names.',
  },
  TOO_MANY_CONNECTIONS: {
    meaning: 'the server has no connection slot left',
    remedy: 'Close other clients, lower the number of workers, or raise `max_connections`.',
  },
  TLS_FAILED: {
    meaning: 'an encrypted connection cannot be established',
    remedy: 'Name the authority with `sslrootcert`, or choose another `sslmode` in the URL.',
  },
  CONNECTION_FAILED: {
    meaning: 'a connection cannot be established, for another reason',
    remedy: 'Read the detail, and try `psql` with the same URL.',
  },
  CONNECTION_LOST: {
    meaning: 'the connection broke while it was in use',
    remedy: "Read the server's log, then run the command again: an open transaction was rolled back.",
  },
  TRANSACTION_ABORTED: {
    meaning: 'a transaction was rolled back where a commit was asked for',
    remedy: 'Look for a statement whose error was swallowed; nothing was written.',
  },
  SESSION_MISUSED: {
    meaning: 'a session was used in a way that it does not allow (a mistake in the calling program)',
    remedy: 'Report it: the mistake is in the program, not in the database.',
  },
  DATABASE_LOCKED: {
    meaning: 'another process has the database folder open',
    remedy: 'Wait for the process that the message names, or end it.',
  },
  FOLDER_UNUSABLE: {
    meaning: 'a folder cannot be used as an embedded database',
    remedy: 'Name another folder after `pglite:`, or correct what the detail says.',
  },
  LOCK_NOT_AVAILABLE: {
    meaning: 'another Understudy is at work in this database',
    remedy: 'Wait for the session that the detail names, or end it.',
  },
  POOLER_REFUSED: {
    meaning: 'the connection goes through a transaction pooler, where session locks do not hold',
    remedy: 'Connect to the server directly, or through a pooler in session mode.',
  },
  ARCHIVE_NOT_FOUND: {
    meaning: 'no archive stands at the path, or none in the folder',
    remedy: 'Correct the path, or make an archive with `understudy export`.',
  },
  ARCHIVE_ONLY_OWN: {
    meaning: 'an import without an archive named found only such as this very database wrote',
    remedy:
      'Copy the archive of the other database into the folder, or name one; `understudy restore` goes back to an earlier state.',
  },
  ARCHIVE_EXISTS: {
    meaning: 'an archive would be written over a file that is there',
    remedy: 'Choose another name, or move the file away.',
  },
  ARCHIVE_NOT_RECOGNISED: {
    meaning: 'the file is not an archive: neither a tar nor a gzipped one, or without a backup-index.json',
    remedy: 'Name a file that `understudy export` has written.',
  },
  ARCHIVE_INDEX_INVALID: {
    meaning: 'the index of an archive has fields that are missing or of a wrong kind; every finding is listed',
    remedy: 'Take the archive as it was written: its index is not meant to be edited.',
  },
  ARCHIVE_VERSION_1: {
    meaning: 'the archive has the first format, 1.0.0, and refers to rows by ids of the source that are not in it',
    remedy: 'Export the source again with this version. Such an archive is taken only with all that its rows refer to.',
  },
  ARCHIVE_VERSION_UNKNOWN: {
    meaning: 'the archive has a format that this version does not know',
    remedy: 'Use the version of Understudy that wrote it, or a newer one.',
  },
  ARCHIVE_DAMAGED: {
    meaning: 'an archive is cut off or changed: bytes, counts or checksums differ from its index',
    remedy: 'Take another copy of the archive; nothing was imported from this one.',
  },
  ARCHIVE_ENTRY_REFUSED: {
    meaning: 'an archive holds an entry that is unsafe, unknown or doubled, or lacks one',
    remedy: 'Pack only the files that the index names, each once, without folders or links.',
  },
  ARCHIVE_LINE_INVALID: {
    meaning:
      'a record is not a valid line: a control character, bad UTF-8, not in the layout of the format, or the same as the one before it',
    remedy: 'Take the archive as it was written; where an export says this, report it.',
  },
  ARCHIVE_TOO_LARGE: {
    meaning: 'a record, an index or an archive is beyond the limits of the format',
    remedy: 'Keep values of hundreds of megabytes outside the database, or leave their column out.',
  },
  ARCHIVE_WRITE_FAILED: {
    meaning: 'an archive cannot be written: no space, no permission, or the writer was closed',
    remedy: 'Make room or choose another folder with `--out`; no unfinished archive was left.',
  },
  MODEL_INVALID: {
    meaning: 'the content model that the catalog and the configuration give has problems; every one is listed',
    remedy:
      'Correct `relations`, `references` and `exclude` in the configuration; `understudy inspect` shows the result.',
  },
  IDENTITY_PREFLIGHT: {
    meaning: 'rows have no identity, share one, or point to rows that do not exist; nothing was read or written',
    remedy: 'Give the rows that the detail lists an identity of their own, or choose another one in the configuration.',
  },
  VALUES_CANNOT_TRAVEL: {
    meaning: 'columns hold values that mean something inside one server only (xid, tid, snapshots)',
    remedy: 'Exclude the relations that the detail lists, or keep such values in a column of another type.',
  },
  EXPORT_REFUSED_BY_DATABASE: {
    meaning: 'the database refused to read what the export asked for',
    remedy: 'Read the message: it is the database’s own. Nothing was written.',
  },
  LARGE_OBJECTS: {
    meaning: 'content refers to large objects, which cannot travel',
    remedy: 'Move the objects into bytea columns, or exclude the relations that the message names.',
  },
  SCHEMA_CHANGED: {
    meaning: 'the schema changed between reading the catalog and locking the relations',
    remedy: 'Run the command again when no migration is running.',
  },
  SELECTION_UNKNOWN: {
    meaning:
      'a relation named by `--only` or `--exclude` is not content of this database, or a data package named by `--from-package` or `--to-package` is not in the configuration',
    remedy:
      'Compare the names with those that `understudy inspect` prints, and with `dataPackages` in the configuration.',
  },
  DATA_PACKAGES_INVALID: {
    meaning: 'with data packages configured, a relation of the archive belongs to none of them, or to several',
    remedy: 'Name it in exactly one package: `dataPackages.<name>.relations`.',
  },
  SEED_INVALID: {
    meaning: 'a script of a data package cannot be read, or would end the transaction of the import',
    remedy: 'Mend the file that the message names, or its path in the configuration.',
  },
  CHECKS_FAILED: {
    meaning:
      'a data package runs the checks inside the import, and one of severity `error` failed or could not run: the import was rolled back',
    remedy: 'Correct what the checks name, in the source or in the target, or the checks themselves, and import again.',
  },
  SEED_FAILED: {
    meaning:
      'a script of a data package failed inside the import, which was rolled back unless the message says that the script ended the transaction',
    remedy: 'Mend the script; the message is the server’s.',
  },
  COPY_UNCOMPUTABLE: {
    meaning:
      'the expression of a copy (`relations.….copies`) fails in the target, or gives another value each time; the import was rolled back',
    remedy:
      'Mend the expression: the message is the server’s, or says that the values still change after a hundred rounds.',
  },
  INSTANCE_AMBIGUOUS: {
    meaning:
      'a database was copied or moved together with its instance id, so that two databases may call different rows by the same name; nothing was read or written',
    remedy:
      'Where the original lives on, `understudy adopt --as-copy` in the copy; where there is but one, `understudy adopt --as-original`.',
  },
  ADOPT_REFUSED: {
    meaning:
      'there is nothing to adopt: no registry, no rows known by their origin, or an archive of this very database',
    remedy: 'Read the message; `understudy inspect` shows which relations are known by their origin.',
  },
  IDENTIFY_REFUSED: {
    meaning: 'identities cannot be filled as asked: values are null, shared or taken, or the column is no plain one',
    remedy: 'Choose another template with `--fill`; `{uuid}` in it is always different. Nothing was written.',
  },
  FILESET_INVALID: {
    meaning:
      'files of a fileset cannot be imported: headings or values do not fit; each line of the detail names file, line, column and value',
    remedy: 'Correct the cells that the detail names, or say in `fileset.json` what a file or a heading means.',
  },
  CHECKS_INVALID: {
    meaning: 'files in the folder of checks are no checks, or two checks share a name; every problem is listed',
    remedy:
      'Correct the files that the detail names: a `.sql` file selects offending rows, a module exports `defineCheck({ name, sql })`.',
  },
  TARGET_NAME_REQUIRED: {
    meaning: 'the target is marked `safe` or `production`, and its name was not given',
    remedy: 'Say the name of the database with `--target-name`, if it is the one you mean.',
  },
  IMPORT_INCOMPATIBLE: {
    meaning: 'the archive holds relations or columns that the target lacks or has otherwise; every one is named',
    remedy: 'Bring both databases to the same migration, or leave the relations out.',
  },
  IMPORT_REFUSED: {
    meaning: 'rows of the archive cannot be imported as they are; every finding is listed and nothing was written',
    remedy: 'Mend what the detail lists, or choose a policy with `--on-missing`.',
  },
  IMPORT_REFUSED_BY_DATABASE: {
    meaning: 'the target refused a row, by a constraint or a type; everything was rolled back',
    remedy: 'Mend the row in the source or in the target, and import again.',
  },
  IMPORT_COUNT_MISMATCH: {
    meaning: 'the target wrote more or fewer rows than the plan has; everything was rolled back',
    remedy: 'Look for a trigger or a rule on the relation that swallows or adds rows.',
  },
  REPORT_WRITE_FAILED: {
    meaning: 'the report of an import, or of checks, cannot be written where it was asked for',
    remedy:
      'Name a file in a folder that exists and that you may write to; the message says what became of the import.',
  },
  PLAN_CHANGED: {
    meaning: 'the target changed between the plan that was shown and the import; nothing was written',
    remedy: 'Run the import again and look at the new plan.',
  },
} as const satisfies Record<string, { readonly meaning: string; readonly remedy: string }>

export type ErrorCode = keyof typeof ERROR_CODES
