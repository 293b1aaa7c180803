/** Where this page's daemon is. */

import { baseOf } from "../lib/base";

export const BASE = baseOf(location.pathname);
