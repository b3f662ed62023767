/** Where a row known by its origin carries it, first in its line. */
export const ORIGIN_KEY = '$origin'
/** Around a value that points to no row: of a key that is null in part, or beside a column that declares it to be no reference. */
export const VALUE_KEY = '$value'
/** Where a row known by its content carries its name, if other rows refer to it. */
export const DIGEST_KEY = '$digest'
export const NUMBER_KEY = '$n'
