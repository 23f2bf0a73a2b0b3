//! Questions that are accepted. `{t}` stands for the dataset.

/// One question for each kind of aggregate, bound, expression and grouping.
pub(crate) const CORPUS: &[&str] = &[
    "SELECT COUNT(*) FROM {t}",
    "SELECT COUNT(*) FROM {t} WHERE x > 10 AND NOT flag",
    "SELECT COUNT(x), COUNT(c), COUNT(note), COUNT(flag), COUNT(day), COUNT(at) FROM {t}",
    "SELECT COUNT(DISTINCT person) FROM {t} WHERE c > 0",
    "SELECT k, COUNT(DISTINCT person) FROM {t} GROUP BY k",
    "SELECT k FROM {t} GROUP BY k",
    "SELECT SUM(x) FROM {t}",
    "SELECT k, SUM(x) FROM {t} GROUP BY k",
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = 1)
        k, g, SUM(x), COUNT(*), AVG(c) FROM {t} GROUP BY k, g",
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = 3)
        g, k, SUM(x), COUNT(DISTINCT person), AVG(x) FROM {t} GROUP BY g, k",
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (delta = 0, max_groups_contributed = 1) flag, AVG(c) FROM {t} GROUP BY flag",
    "SELECT AVG(x) FROM {t}",
    "SELECT SUM(big, contribution_bounds_per_row => (-1000, 1000)) FROM {t}",
    "SELECT SUM(big, contribution_bounds_per_row => (-1e15, 1e15)) FROM {t}",
    "SELECT SUM(w, contribution_bounds_per_row => (-1e308, 1e308)) FROM {t}",
    "SELECT SUM(w, contribution_bounds_per_row => (0.1, 0.3)) FROM {t}",
    "SELECT g, SUM(x, contribution_bounds_per_group => (-15, 40)) FROM {t} GROUP BY g",
    "SELECT g, SUM(x, contribution_bounds_per_group => (20, 30)) FROM {t} GROUP BY g",
    "SELECT SUM(c, contribution_bounds_per_group => (-3.3, 4.4)) FROM {t}",
    "SELECT k, COUNT(*, contribution_bounds_per_group => (0, 2)) FROM {t} GROUP BY k",
    "SELECT COUNT(x, contribution_bounds_per_group => (1, 3)) FROM {t}",
    "SELECT flag, k, AVG(x, contribution_bounds_per_row => (0, 3)) FROM {t} GROUP BY flag, k",
    "SELECT SUM(x * 2 - g) FROM {t} WHERE g <> 2",
    "SELECT SUM(big * big, contribution_bounds_per_row => (-5, 5)),
        SUM(big + big, contribution_bounds_per_row => (-6, 6)) FROM {t}",
    "SELECT SUM(CASE WHEN x > 0 THEN x WHEN x < -3 THEN 0 - x END), SUM(CASE g WHEN 1 THEN c ELSE NULL END) FROM {t}",
    "SELECT SUM(ABS(x)), SUM(ABS(c)), SUM(COALESCE(x, g, 7)), SUM(NULLIF(x, 3)), SUM(GREATEST(x, g)), SUM(LEAST(c, x))
        FROM {t}",
    "SELECT SUM(ABS(big), contribution_bounds_per_row => (0, 9)), SUM(-big, contribution_bounds_per_row => (-9, 0)) FROM {t}",
    "SELECT SUM(x / 7), SUM(x / g), SUM(x % g, contribution_bounds_per_row => (-4, 4)) FROM {t}",
    "SELECT SUM(big / -1, contribution_bounds_per_row => (-4, 4)), SUM(big % -1, contribution_bounds_per_row => (-4, 4)),
        SUM(big / 0, contribution_bounds_per_row => (-4, 4)), SUM(big % 0, contribution_bounds_per_row => (-4, 4)) FROM {t}",
    "SELECT k, AVG(w / c, contribution_bounds_per_row => (-10, 10)) FROM {t} GROUP BY k",
    "SELECT SUM(w - w, contribution_bounds_per_row => (-1, 1)), SUM(w * 0, contribution_bounds_per_row => (-1, 1)) AS z,
        COUNT(w - w) AS n FROM {t}",
    "SELECT SUM(w % c, contribution_bounds_per_row => (-1, 1)) FROM {t} WHERE w = w OR w <> w OR w > c",
    "SELECT SUM(TRY_CAST(note AS DOUBLE), contribution_bounds_per_row => (-100, 100)), COUNT(CAST(note AS DOUBLE)),
        SUM(TRY_CAST(note AS BIGINT), contribution_bounds_per_row => (-9, 9)) AS b FROM {t}",
    "SELECT COUNT(TRY_CAST(note AS DATE)) FROM {t}",
    "SELECT COUNT(TRY_CAST(note AS BOOLEAN)) FROM {t} WHERE TRY_CAST(note AS DATE) IS NULL",
    "SELECT SUM(CAST(w AS BIGINT), contribution_bounds_per_row => (-9e9, 9e9)), SUM(CAST(c AS INT)), SUM(CAST(x AS DOUBLE))
        FROM {t}",
    "SELECT COUNT(*) FROM {t} WHERE CAST(w AS VARCHAR) = 'NaN' OR CAST(x AS VARCHAR) > '1'
        OR CAST(big AS VARCHAR) = '0' OR CAST(flag AS VARCHAR) = 'true'",
    "SELECT COUNT(*) FROM {t} WHERE CAST(at AS DATE) > day OR day > '2000-01-01' OR at = at OR CAST(note AS DATE) = day",
    "SELECT SUM(FLOOR(c)), SUM(CEIL(c)), SUM(FLOOR(x)) FROM {t}",
    "SELECT COUNT(*) FROM {t} WHERE NOT (x BETWEEN c AND w) OR note IN ('junk', '12', NULL) OR k NOT IN ('a', note)",
    "SELECT COUNT(*) FROM {t} WHERE big + 1 > big AND (big IS DISTINCT FROM x) AND flag IS NOT UNKNOWN",
    "SELECT k, SUM(y) FROM (SELECT x * 3 AS y, k FROM {t} WHERE g <> 2 ORDER BY c) AS s WHERE y > 0 GROUP BY k",
    "SELECT k, COUNT(*) AS n FROM {t} GROUP BY k HAVING COUNT(*) > 3 ORDER BY n DESC LIMIT 2",
    "SELECT COUNT(*) FROM {t} WHERE NULL",
    "SELECT COUNT(*) FROM {t} WHERE g IN (CASE WHEN flag THEN 1 WHEN x > 0 THEN 2 END) OR g NOT IN (x, 7 - g, NULL)",
    "SELECT COUNT(*) FROM (SELECT * FROM {t} WHERE NULL) AS s WHERE (x + 1) IS NULL",
    "SELECT k, COUNT(*) FILTER (WHERE x > 0), SUM(x) FILTER (WHERE w = w AND NOT flag), AVG(c) FILTER (WHERE g <> 2),
        COUNT(DISTINCT person) FILTER (WHERE big > 5 OR note = 'junk'), COUNT(*) FROM {t} GROUP BY k",
    "SELECT SUM(big, contribution_bounds_per_row => (-7, 9)) FILTER (WHERE flag IS NOT TRUE AND CAST(at AS DATE) > day) FROM {t} WHERE x / g > 0",
    "SELECT VAR_POP(x), STDDEV(c), VAR(big, contribution_bounds_per_row => (-1000, 1000)) FROM {t}",
    "SELECT k, STDDEV_POP(x) FILTER (WHERE flag), AVG(x), VAR_SAMP(w / c, contribution_bounds_per_row => (-10, 10))
        FROM {t} GROUP BY k",
    "SELECT EXTRACT(MONTH FROM day) AS m, COUNT(*), SUM(x) FROM {t} GROUP BY m",
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = 1)
        DATE_PART('dow', at) AS d, EXTRACT(HOUR FROM at) AS h, COUNT(DISTINCT person) FROM {t} GROUP BY d, h",
    "SELECT DATE_TRUNC('month', day) AS d, k, AVG(c) FROM {t} GROUP BY d, k",
    "SELECT DATE_TRUNC('week', at) AS wk, EXTRACT(YEAR FROM day) AS y, COUNT(*) FROM {t} GROUP BY wk, y",
    "SELECT day, CAST(at AS DATE) AS d, COUNT(*) FROM {t} GROUP BY day, d",
    "SELECT SUM(EXTRACT(DOY FROM at)), SUM(EXTRACT(YEAR FROM day)), COUNT(DATE_TRUNC('quarter', at)),
        SUM(CASE WHEN EXTRACT(ISODOW FROM day) < 6 THEN x END) FROM {t} WHERE EXTRACT(SECOND FROM at) < 30
        OR EXTRACT(QUARTER FROM CAST(at AS DATE)) = 1 OR DATE_TRUNC('minute', at) = at OR EXTRACT(WEEK FROM day) = 1",
    "WITH a AS (SELECT k AS g, g AS k, x + 1 AS x, c FROM {t} WHERE NOT flag), b (p, q, r) AS (SELECT g, x * 2, c FROM a WHERE k > 1)
        SELECT p, SUM(q), AVG(r), COUNT(*) FROM b GROUP BY p",
    "WITH s AS (SELECT person AS x, big AS c, CAST(at AS DATE) AS note FROM {t})
        SELECT EXTRACT(MONTH FROM note) AS m, COUNT(DISTINCT x), SUM(c, contribution_bounds_per_row => (-9, 9)) FROM s GROUP BY m",
    // A sum of whole numbers as floats, used behind conditions that few rows meet.
    "SELECT SUM(CASE WHEN p > 0 THEN s * 2.5 END, contribution_bounds_per_row => (0, 500)), SUM(s / t, contribution_bounds_per_row => (0, 9))
        FROM (SELECT person, COUNT(*) FILTER (WHERE x = 5) AS p, SUM(CAST(x AS DOUBLE), contribution_bounds_per_row => (0, 20)) AS s,
                  SUM(CAST(big AS DOUBLE), contribution_bounds_per_row => (1, 20)) AS t
              FROM {t} GROUP BY person) AS u WHERE COALESCE(p, 0) < 9 AND s > 2.5",
    "SELECT COUNT(*) FROM (SELECT person, COUNT(*) FILTER (WHERE x = 5) AS p, AVG(x) AS m, SUM(x) AS s FROM {t} GROUP BY person) AS u
        WHERE COALESCE(p, 0) = 1 AND s > 2.5 OR m * 2.5 > s",
    "SELECT AVG(s), COUNT(DISTINCT person), SUM(n) FROM (SELECT person, SUM(x) AS s, COUNT(*) AS n FROM {t} GROUP BY person) AS u",
    "WITH u AS (SELECT person, k, SUM(c) AS s, AVG(x) AS m, COUNT(note) FILTER (WHERE flag) AS n FROM {t} WHERE g <> 2 GROUP BY person, k)
        SELECT k, SUM(s), STDDEV(m), COUNT(*), SUM(n, contribution_bounds_per_group => (0, 2)) FROM u WHERE n < 3 GROUP BY k",
    "WITH u AS (SELECT EXTRACT(MONTH FROM day) AS d, person AS p, g, SUM(big, contribution_bounds_per_row => (-9, 9)) AS s FROM {t}
        GROUP BY person, EXTRACT(MONTH FROM day), g HAVING COUNT(*) > 1)
        SELECT d, AVG(s), COUNT(DISTINCT p) FROM u GROUP BY d",
    "SELECT SUM(m, contribution_bounds_per_row => (-2, 2)), COUNT(CASE WHEN s > m THEN 1 END) FROM (SELECT AVG(w / c,
        contribution_bounds_per_row => (-10, 10)) AS m, SUM(x, contribution_bounds_per_group => (3, 30)) AS s, person FROM {t}
        GROUP BY person) AS u WHERE m IS NOT NULL OR s / 0 IS NULL",
    "SELECT SUM(5), SUM(2.5), COUNT(NULL) FROM {t} WHERE x IS NOT NULL",
    // Joined with the public tables of `public.rs`.
    "SELECT COUNT(*), SUM(p.score), COUNT(p.note), SUM(t.x) FROM {t} AS t JOIN p.kinds AS p ON t.k = p.kind",
    "SELECT p.class, COUNT(*), SUM(t.x), AVG(p.rate), COUNT(DISTINCT t.person) FROM {t} AS t LEFT JOIN p.kinds AS p ON t.k = p.kind
        GROUP BY p.class",
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = 3) s.label, p.open, SUM(s.worth), COUNT(*)
        FROM {t} AS t JOIN p.slots s ON s.g = t.g AND t.flag = s.flag LEFT JOIN p.kinds p ON p.kind = t.note
        WHERE p.score IS NULL OR p.score > t.x GROUP BY s.label, p.open",
    "SELECT b.class, SUM(a.score + b.score), COUNT(a.kind) FILTER (WHERE b.kind IS NULL)
        FROM {t} t JOIN p.kinds a ON t.k = a.kind LEFT JOIN p.kinds b ON b.kind = a.next GROUP BY b.class",
    "SELECT AVG(s), COUNT(*), SUM(n) FROM (SELECT person, p.class, SUM(p.score) AS s, COUNT(p.rate) AS n
        FROM {t} JOIN p.kinds p ON k = p.kind WHERE p.open OR x > p.score GROUP BY person, p.class) AS u WHERE s > 3",
    "WITH s AS (SELECT p.score AS x, p.class AS k, t.person, t.x AS score FROM {t} t LEFT JOIN p.kinds p ON t.k = p.kind)
        SELECT k, SUM(x), SUM(score), COUNT(DISTINCT person) FROM s GROUP BY k",
    "SELECT COUNT(*), SUM(c.weight) FROM p.codes AS c JOIN {t} AS t ON c.code = t.big / 1 AND t.x > c.weight",
    "SELECT label, COUNT(*) FROM {t} JOIN p.slots USING (g, flag) GROUP BY label",
    "SELECT s.label, COUNT(*), SUM(CASE WHEN s.worth > 3 THEN x END) FROM {t} t LEFT JOIN p.slots s ON CAST(t.at AS DATE) = s.day
        AND s.g = 2 GROUP BY s.label",
    "SELECT EXTRACT(MONTH FROM s.day) AS m, SUM(x) FROM (SELECT x * 2 AS x, day AS d FROM {t} WHERE NOT flag) AS t
        JOIN p.slots AS s ON s.day = t.d GROUP BY m",
    // Joined with other rows of the same persons, those of `data::others`, and with themselves.
    "SELECT COUNT(*), SUM(t.x), SUM(o.x), COUNT(DISTINCT t.person), COUNT(o.note) FROM {t} AS t JOIN {o} AS o ON t.person = o.person",
    "SELECT COUNT(*), SUM(t.x), AVG(o.c), COUNT(o.x), COUNT(DISTINCT t.person) FROM {t} AS t LEFT JOIN {o} AS o ON o.person = t.person",
    "SELECT t.k, o.g, COUNT(*), SUM(t.x - o.x) FILTER (WHERE o.flag IS NOT TRUE) FROM {t} t JOIN {o} o ON t.person = o.person AND t.g < o.g
        GROUP BY t.k, o.g",
    "SELECT o.k, SUM(t.x * o.x), COUNT(DISTINCT t.person) FROM {t} AS t LEFT JOIN {o} AS o USING (person) GROUP BY o.k",
    "SELECT p.class, COUNT(*), SUM(o.x) FROM {t} t JOIN {o} o ON o.person = t.person LEFT JOIN p.kinds p ON p.kind = o.k GROUP BY p.class",
    "SELECT p.class, SUM(t.c) FROM {t} t JOIN p.kinds p ON p.kind = t.k JOIN {o} o ON o.person = t.person AND o.x > p.score GROUP BY p.class",
    "SELECT AVG(s), COUNT(*), SUM(n) FROM (SELECT t.person, SUM(o.x) AS s, COUNT(*) AS n FROM {t} t JOIN {o} o ON t.person = o.person
        WHERE t.x > o.x GROUP BY t.person) AS u WHERE n > 2",
    "SELECT AVG(s), COUNT(*) FROM (SELECT o.person, t.k, SUM(o.x) AS s FROM {t} t JOIN {o} o ON t.person = o.person GROUP BY o.person, t.k) AS u",
    "SELECT COUNT(*), SUM(a.x), SUM(b.big, contribution_bounds_per_row => (-3, 3)) FROM {t} a JOIN {t} b ON a.person = b.person AND a.day < b.day",
    "SELECT COUNT(*), SUM(v) FROM (SELECT person AS a, x AS v, k FROM {t} WHERE flag) t JOIN {o} o ON t.a = o.person AND o.k = t.k WHERE o.x < v",
];
