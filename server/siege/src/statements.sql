-- Hostile statements, by class. `-- # CLASS`, then for each `-- ## NAME => OUTCOME` and the statement.
--
-- OUTCOME is a stable code, `refused` (any code: what is refused is certain, in which words is not), `answered`,
-- `filtered` (answered, and how many rows are left depends on noise) or `previewed` (the very same bytes on neighbouring data).
-- `«N|text»` is the text N times. Lines between the heading and the statement:
--   -- beside {"epsilon": -1}   what the REST face takes beside the statement; such a statement goes over REST alone
--   -- bind ["text"]            values of a prepared statement; such a statement goes over Flight alone
--   -- like NAME                the rows must be those of that statement: one release, whatever is done to ask again

-- # Text bombs
-- ## a sum of 2,000 terms => sql-too-many-tokens
SELECT SUM(year«2000| + 1») FROM medical.visits
-- ## 6,000 OR => sql-too-long
SELECT COUNT(*) FROM medical.visits WHERE year = 1«6000| OR year = 1»
-- ## 200 OR without blanks => sql-too-many-operators
SELECT COUNT(*) FROM medical.visits WHERE 1=1«200| OR 1=1»
-- ## 4,000 parentheses => sql-too-many-tokens
SELECT «4000|(»1«4000|)» FROM medical.visits
-- ## 300 parentheses => sql-too-many-operators
SELECT «300|(»1«300|)» FROM medical.visits
-- ## 40 CASE inside each other => sql-too-many-operators
SELECT SUM(«40|CASE WHEN year = 1 THEN »1«40| ELSE 0 END») FROM medical.visits
-- ## 40 subqueries inside each other => sql-too-many-operators
SELECT COUNT(*) FROM «40|(SELECT year FROM »medical.visits«40|) AS s»
-- ## 130 CTEs of one name => sql-too-many-tokens
WITH a AS (SELECT year FROM medical.visits)«130|, a AS (SELECT year FROM a)» SELECT COUNT(*) FROM a
-- ## a CTE said twice by each of its followers => refused
WITH a AS (SELECT year FROM medical.visits), b AS (SELECT year + year AS year FROM a), c AS (SELECT year * year * year AS year FROM b), d AS (SELECT year * year * year * year AS year FROM c), e AS (SELECT year * year * year * year AS year FROM d), f AS (SELECT year * year * year * year AS year FROM e) SELECT SUM(year) FROM f
-- ## 300 NOT => sql-too-many-operators
SELECT COUNT(*) FROM medical.visits WHERE «300|NOT »true
-- ## 300 minus signs => sql-too-many-operators
SELECT SUM(«300|- »year) FROM medical.visits
-- ## a list of 450 values after IN => refused
SELECT COUNT(*) FROM medical.visits WHERE year IN (1«450|, 2»)
-- ## a list of 20,000 values after IN => sql-too-long
SELECT COUNT(*) FROM medical.visits WHERE year IN (1«20000|, 2»)
-- ## a literal of 5 MB => sql-too-long
SELECT COUNT(*) FROM medical.visits WHERE plan = '«5000000|x»'
-- ## a literal of 20 KB => sql-too-long
SELECT COUNT(*) FROM medical.visits WHERE plan = '«20000|x»'
-- ## 500 columns => sql-too-many-tokens
SELECT COUNT(*)«500|, COUNT(*)» FROM medical.visits
-- ## a name of 10,000 letters => refused
SELECT SUM(«10000|y») FROM medical.visits
-- ## a comment of 10,000 openings => refused
SELECT COUNT(*) FROM medical.visits «5000|/*»
-- ## a number of 10,000 digits => refused
SELECT SUM(year + «10000|9») FROM medical.visits
-- ## 300 brackets => refused
SELECT COUNT(*) FROM medical.visits WHERE «300|[»1«300|]» = 1
-- ## lambdas and arrows without end => refused
SELECT COUNT(*) FROM medical.visits WHERE year «150|-> »1
-- ## braces => refused
SELECT COUNT(*) FROM medical.visits WHERE «100|{a: »1«100|}»

-- # Unicode and quotation
-- ## a zero byte => sql-syntax
SELECT \0 COUNT(*) FROM medical.visits
-- ## direction turned and full width => refused
SELECT ＣＯＵＮＴ(＊) FROM medical.visits
-- ## a Cyrillic letter in the name of an identifier => column-unknown
SELECT COUNT(рhone) FROM medical.visits
-- ## a blank of no width in a name => refused
SELECT COUNT(pho​ne) FROM medical.visits
-- ## half a quotation => sql-syntax
SELECT 'abc FROM medical.visits
-- ## an escape that is none => refused
SELECT COUNT(*) FROM medical.visits WHERE plan = E'\x41\u{110000}'
-- ## dollar quotation around another statement => refused
SELECT COUNT(*) FROM medical.visits WHERE plan = $$x$$; DROP TABLE medical.visits
-- ## a comment that hides a second statement => statement-refused
SELECT COUNT(*) FROM medical.visits -- nothing
; DELETE FROM medical.visits
-- ## a hidden column => column-unknown
SELECT COUNT(__gb_unit) FROM medical.visits
-- ## a hidden column in quotation => column-unknown
SELECT COUNT("__GB_unit") FROM medical.visits
-- ## an identifier in quotation => column-is-identifier
SELECT COUNT("phone") FROM medical.visits
-- ## nothing => statement-refused
;

-- # Errors that rows cause
-- ## a zero that one person has, as divisor => answered
SELECT SUM(year / zero, contribution_bounds_per_row => (0, 10)) FROM medical.visits
-- ## its remainder => answered
SELECT SUM(year % zero, contribution_bounds_per_row => (0, 10)) FROM medical.visits
-- ## a division in a condition => answered
SELECT COUNT(*) FROM medical.visits WHERE 1 / zero > 0
-- ## a number that overflows for one person => answered
SELECT SUM(huge * huge * huge + huge, contribution_bounds_per_row => (0, 10)) FROM medical.visits
-- ## the least number negated and divided => answered
SELECT SUM((0 - huge - 1) / (0 - 1), contribution_bounds_per_row => (0, 10)) FROM medical.visits
-- ## a text that is no number for one person => answered
SELECT SUM(CAST(note AS BIGINT), contribution_bounds_per_row => (0, 10)) FROM medical.visits
-- ## a text that is no date for one person => answered
SELECT COUNT(*) FROM medical.visits WHERE CAST(note AS DATE) > '2020-01-01'
-- ## to_timestamp of it => function-refused
SELECT COUNT(*) FROM medical.visits WHERE to_timestamp(note) > '2020-01-01'
-- ## to_date with a format => function-refused
SELECT COUNT(*) FROM medical.visits WHERE to_date(note, '%Y') > '2020-01-01'
-- ## a pattern taken from a column => expression-refused
SELECT COUNT(*) FROM medical.visits WHERE regexp_like(plan, note)
-- ## a pattern that does not end => function-refused
SELECT COUNT(*) FROM medical.visits WHERE regexp_match(note, '(a+)+$') IS NOT NULL
-- ## the operator of patterns => refused
SELECT COUNT(*) FROM medical.visits WHERE note ~ '(((((a*)*)*)*)*)*b'
-- ## SIMILAR TO => refused
SELECT COUNT(*) FROM medical.visits WHERE note SIMILAR TO 'the%'
-- ## LIKE on a text => refused
SELECT COUNT(*) FROM medical.visits WHERE note LIKE 'the-only-note%'
-- ## SUBSTR beyond the text => answered
SELECT COUNT(*) FROM medical.visits WHERE SUBSTR(note, -5, huge) = 'x'
-- ## a negative repetition => function-refused
SELECT COUNT(*) FROM medical.visits WHERE repeat(plan, huge) = 'x'
-- ## padding by a column => answered
SELECT COUNT(*) FROM medical.visits WHERE lpad(plan, huge, 'x') = 'x'
-- ## an index into an array => refused
SELECT SUM(make_array(year, 2)[huge]) FROM medical.visits
-- ## the root of a negative number => answered
SELECT SUM(sqrt(0 - huge), contribution_bounds_per_row => (0, 1)) FROM medical.visits
-- ## a decimal that overflows => refused
SELECT COUNT(*) FROM medical.visits WHERE CAST(huge AS DECIMAL(10, 2)) > 1
-- ## a year out of range from a column => function-refused
SELECT COUNT(*) FROM medical.visits WHERE make_date(huge, 1, 1) > '2020-01-01'
-- ## an interval by a column => refused
SELECT COUNT(*) FROM medical.visits WHERE born + huge * INTERVAL '1' DAY > '2020-01-01'
-- ## a sum over nobody is noise and not NULL => answered
SELECT SUM(year) FROM medical.visits WHERE year = 1 AND year = 2
-- ## NULL as a channel => answered
SELECT SUM(NULLIF(year, 3)) FROM medical.visits WHERE note IS NULL
-- ## raise by CASE => answered
SELECT SUM(CASE WHEN note = 'the-only-note' THEN 1 / (year - year) ELSE 0 END, contribution_bounds_per_row => (0, 1)) FROM medical.visits

-- # EXPLAIN
-- ## EXPLAIN => explain-refused
EXPLAIN SELECT COUNT(*) FROM medical.visits
-- ## EXPLAIN ANALYZE => explain-refused
EXPLAIN ANALYZE SELECT COUNT(*) FROM medical.visits
-- ## EXPLAIN ANALYZE VERBOSE => explain-refused
EXPLAIN ANALYZE VERBOSE SELECT COUNT(*) FROM medical.visits
-- ## EXPLAIN FORMAT => explain-refused
EXPLAIN FORMAT PGJSON SELECT COUNT(*) FROM medical.visits
-- ## DESCRIBE => explain-refused
DESCRIBE medical.visits
-- ## EXPLAIN in a subquery => refused
SELECT COUNT(*) FROM (EXPLAIN ANALYZE SELECT year FROM medical.visits) AS s
-- ## EXPLAIN PRIVACY of EXPLAIN => refused
EXPLAIN PRIVACY EXPLAIN ANALYZE SELECT COUNT(*) FROM medical.visits
-- ## a preview of groups => previewed
EXPLAIN PRIVACY SELECT plan, year, COUNT(*), SUM(cost), AVG(cost) FROM medical.visits GROUP BY plan, year
-- ## a preview of one person's rows => previewed
EXPLAIN PRIVACY SELECT COUNT(*) FROM medical.visits WHERE note = 'the-only-note'
-- ## a preview of persons => previewed
EXPLAIN PRIVACY SELECT COUNT(DISTINCT person) FROM medical.visits WHERE zero = 0

-- # Other statements
-- ## SHOW => statement-refused
SHOW ALL
-- ## SET => statement-refused
SET datafusion.execution.batch_size = 1
-- ## RESET => refused
RESET datafusion.execution.batch_size
-- ## CREATE EXTERNAL TABLE => statement-refused
CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'
-- ## CREATE TABLE AS => statement-refused
CREATE TABLE t AS SELECT * FROM medical.visits
-- ## CREATE VIEW => statement-refused
CREATE VIEW t AS SELECT * FROM medical.visits
-- ## CREATE FUNCTION => statement-refused
CREATE FUNCTION f(BIGINT) RETURNS BIGINT RETURN 1
-- ## COPY => statement-refused
COPY medical.visits TO '/tmp/out.parquet'
-- ## COPY of a SELECT => statement-refused
COPY (SELECT * FROM medical.visits) TO 'http://localhost:1/x'
-- ## INSERT => statement-refused
INSERT INTO medical.visits VALUES (1)
-- ## UPDATE => statement-refused
UPDATE medical.visits SET year = 1
-- ## DELETE => statement-refused
DELETE FROM medical.visits
-- ## DROP => statement-refused
DROP TABLE medical.visits
-- ## TRUNCATE => statement-refused
TRUNCATE medical.visits
-- ## BEGIN => statement-refused
BEGIN
-- ## PREPARE => statement-refused
PREPARE p AS SELECT COUNT(*) FROM medical.visits
-- ## EXECUTE => statement-refused
EXECUTE p(1)
-- ## two statements => statement-refused
SELECT COUNT(*) FROM medical.visits; SELECT COUNT(*) FROM medical.visits
-- ## SELECT INTO => refused
SELECT COUNT(*) INTO t FROM medical.visits
-- ## FOR UPDATE => refused
SELECT COUNT(*) FROM medical.visits FOR UPDATE

-- # Files, functions that make tables, what a database says of itself
-- ## information_schema.tables => table-unknown
SELECT COUNT(*) FROM information_schema.tables
-- ## information_schema.df_settings => table-unknown
SELECT COUNT(*) FROM information_schema.df_settings
-- ## pg_catalog => table-unknown
SELECT COUNT(*) FROM pg_catalog.pg_class
-- ## a table's statistics => table-unknown
SELECT COUNT(*) FROM medical.visits_statistics
-- ## a file as table => table-unknown
SELECT COUNT(*) FROM '/etc/passwd'
-- ## a path out of the catalogue => table-unknown
SELECT COUNT(*) FROM "medical"."../../etc/passwd"
-- ## read_parquet => clause-refused
SELECT COUNT(*) FROM read_parquet('/etc/passwd')
-- ## generate_series => clause-refused
SELECT COUNT(*) FROM generate_series(1, 1000000000)
-- ## unnest => clause-refused
SELECT COUNT(*) FROM unnest([1, 2, 3])
-- ## a sample of rows => clause-refused
SELECT COUNT(*) FROM medical.visits TABLESAMPLE BERNOULLI (1)
-- ## another time => refused
SELECT COUNT(*) FROM medical.visits FOR SYSTEM_TIME AS OF '2020-01-01'
-- ## version and user => function-refused
SELECT SUM(CASE WHEN version() = 'x' THEN 1 ELSE 0 END) FROM medical.visits
-- ## chance => function-refused
SELECT SUM(CASE WHEN random() < 0.5 THEN year ELSE 0 END) FROM medical.visits
-- ## the clock => function-refused
SELECT COUNT(*) FROM medical.visits WHERE at < now()

-- # Rows, units and identifiers
-- ## all columns => not-aggregated
SELECT * FROM medical.visits
-- ## one column => not-aggregated
SELECT note FROM medical.visits
-- ## all columns of a subquery => not-aggregated
SELECT * FROM (SELECT * FROM medical.visits) AS s
-- ## the unit => not-aggregated
SELECT person FROM medical.visits
-- ## groups of the unit => group-key-not-public
SELECT person, COUNT(*) FROM medical.visits GROUP BY person
-- ## the unit under another name => group-key-not-public
SELECT p, COUNT(*) FROM (SELECT person AS p FROM medical.visits) AS s GROUP BY p
-- ## an identifier as group => column-is-identifier
SELECT phone, COUNT(*) FROM medical.visits GROUP BY phone
-- ## an identifier under another name => column-is-identifier
SELECT p, COUNT(*) FROM (SELECT phone AS p FROM medical.visits) AS s GROUP BY p
-- ## an identifier under the name of a list => column-is-identifier
SELECT plan, COUNT(*) FROM (SELECT phone AS plan FROM medical.visits) AS s GROUP BY plan
-- ## an identifier in a condition => column-is-identifier
SELECT COUNT(*) FROM medical.visits WHERE phone = 'the-only-phone'
-- ## an identifier counted => column-is-identifier
SELECT COUNT(DISTINCT phone) FROM medical.visits
-- ## an identifier in COALESCE => column-is-identifier
SELECT COUNT(*) FROM medical.visits WHERE COALESCE(note, phone) IS NULL
-- ## a text as group => refused
SELECT rare, COUNT(*) FROM medical.visits GROUP BY rare
-- ## a list taken from what others have => refused
SELECT COUNT(*) FROM medical.visits GROUP BY plan, code
-- ## all sets of groups => clause-refused
SELECT plan, year, COUNT(*) FROM medical.visits GROUP BY CUBE (plan, year)
-- ## ROLLUP => clause-refused
SELECT plan, COUNT(*) FROM medical.visits GROUP BY ROLLUP (plan)

-- # Aggregates that give rows away
-- ## MAX => aggregate-refused
SELECT MAX(code) FROM medical.visits
-- ## MIN of the unit => aggregate-refused
SELECT MIN(person) FROM medical.visits
-- ## ARRAY_AGG => aggregate-refused
SELECT ARRAY_AGG(note) FROM medical.visits
-- ## STRING_AGG => aggregate-refused
SELECT STRING_AGG(note, ',') FROM medical.visits
-- ## FIRST_VALUE by an order => aggregate-refused
SELECT FIRST_VALUE(note ORDER BY code) FROM medical.visits
-- ## MEDIAN => aggregate-refused
SELECT MEDIAN(code) FROM medical.visits
-- ## APPROX_PERCENTILE_CONT => aggregate-refused
SELECT APPROX_PERCENTILE_CONT(code, 0.5) FROM medical.visits
-- ## different values => aggregate-refused
SELECT COUNT(DISTINCT code) FROM medical.visits
-- ## the sum of different values => aggregate-refused
SELECT SUM(DISTINCT year) FROM medical.visits
-- ## a sum without bounds => bounds-missing
SELECT SUM(code) FROM medical.visits
-- ## bounds beyond all sizes => overflow-possible
SELECT SUM(code, contribution_bounds_per_row => (0, 1e18)) FROM medical.visits
-- ## bounds the wrong way round => bounds-invalid
SELECT SUM(code, contribution_bounds_per_row => (5, 1)) FROM medical.visits
-- ## bounds taken from a column => bounds-invalid
SELECT SUM(code, contribution_bounds_per_row => (0, huge)) FROM medical.visits
-- ## bounds that are no number => bounds-invalid
SELECT SUM(code, contribution_bounds_per_row => (0, 'NaN')) FROM medical.visits

-- # Narrowing to one person
-- ## by a condition => answered
SELECT COUNT(*) FROM medical.visits WHERE note = 'the-only-note'
-- ## by FILTER => answered
SELECT SUM(cost) FILTER (WHERE note = 'the-only-note') FROM medical.visits
-- ## by CASE => answered
SELECT SUM(CASE WHEN note = 'the-only-note' THEN cost ELSE 0 END) FROM medical.visits
-- ## by the unit's own value => answered
SELECT COUNT(DISTINCT person) FROM medical.visits WHERE person = 'the-only-unit'
-- ## by a group that one person has alone => answered
SELECT year, COUNT(*) FROM medical.visits GROUP BY year ORDER BY year
-- ## HAVING, ORDER and LIMIT see noise alone => filtered
SELECT year, COUNT(*) AS n FROM medical.visits GROUP BY year HAVING COUNT(*) < 5 ORDER BY n LIMIT 1
-- ## LIMIT below the noise => clause-refused
SELECT COUNT(*) FROM (SELECT year FROM medical.visits LIMIT 1) AS s
-- ## ORDER and OFFSET below the noise => clause-refused
SELECT SUM(year) FROM (SELECT year FROM medical.visits ORDER BY cost OFFSET 449) AS s
-- ## DISTINCT below the noise => clause-refused
SELECT COUNT(*) FROM (SELECT DISTINCT note FROM medical.visits) AS s
-- ## DISTINCT ON => refused
SELECT DISTINCT ON (plan) plan, note FROM medical.visits
-- ## HAVING over rows => refused
SELECT COUNT(*) FROM medical.visits HAVING note = 'x'

-- # Windows, sets, joins, subqueries
-- ## a window => refused
SELECT SUM(year) OVER (ORDER BY code) FROM medical.visits
-- ## a window below => refused
SELECT COUNT(*) FROM (SELECT ROW_NUMBER() OVER (ORDER BY code) AS r FROM medical.visits) AS s WHERE r = 1
-- ## QUALIFY => refused
SELECT year FROM medical.visits QUALIFY ROW_NUMBER() OVER (PARTITION BY plan ORDER BY code) = 1
-- ## UNION ALL of the data with itself => refused
SELECT COUNT(*) FROM (SELECT year FROM medical.visits UNION ALL SELECT year FROM medical.visits) AS s
-- ## EXCEPT => refused
SELECT note FROM medical.visits EXCEPT SELECT note FROM medical.visits WHERE year = 1
-- ## a cross join => refused
SELECT COUNT(*) FROM medical.visits CROSS JOIN medical.visits AS b
-- ## a join of strangers => refused
SELECT COUNT(*) FROM medical.visits AS a JOIN medical.visits AS b ON a.plan = b.plan
-- ## a comma join => refused
SELECT COUNT(*) FROM medical.visits AS a, medical.visits AS b WHERE a.year = b.year
-- ## a join with made-up rows => refused
SELECT COUNT(*) FROM medical.visits JOIN (VALUES (1), (1), (1)) AS t(year) ON true
-- ## a lateral join => refused
SELECT COUNT(*) FROM medical.visits AS a, LATERAL (SELECT b.note FROM medical.visits AS b WHERE b.year = a.year) AS c
-- ## EXISTS => refused
SELECT COUNT(*) FROM medical.visits WHERE EXISTS (SELECT 1 FROM medical.visits WHERE note = 'the-only-note')
-- ## a correlated subquery => refused
SELECT COUNT(*) FROM medical.visits AS a WHERE a.cost > (SELECT AVG(b.cost) FROM medical.visits AS b WHERE b.year = a.year)
-- ## a scalar subquery of many rows => refused
SELECT SUM(year + (SELECT year FROM medical.visits)) FROM medical.visits
-- ## IN a subquery => refused
SELECT COUNT(*) FROM medical.visits WHERE note IN (SELECT note FROM medical.visits WHERE year = 3)
-- ## = ANY of a subquery => refused
SELECT COUNT(*) FROM medical.visits WHERE year = ANY (SELECT year FROM medical.visits)
-- ## recursion => refused
WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT COUNT(*) FROM t
-- ## a level that is not of the unit => refused
SELECT SUM(s) FROM (SELECT note, SUM(year) AS s FROM medical.visits GROUP BY note) AS u
-- ## PIVOT => refused
SELECT * FROM medical.visits PIVOT (SUM(cost) FOR year IN (1, 2))

-- # Options
-- ## a negative epsilon => option-invalid
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = -1) COUNT(*) FROM medical.visits
-- ## epsilon zero => option-invalid
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 0) COUNT(*) FROM medical.visits
-- ## epsilon beyond a float => option-invalid
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 1e999) COUNT(*) FROM medical.visits
-- ## epsilon below a float => option-invalid
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 1e-400) COUNT(*) FROM medical.visits
-- ## epsilon that is no number => option-invalid
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = NaN) COUNT(*) FROM medical.visits
-- ## a huge epsilon => option-invalid
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 1000000) COUNT(*) FROM medical.visits
-- ## epsilon above the contract => epsilon-above-cap
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 99) COUNT(*) FROM medical.visits
-- ## delta above one => option-invalid
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (delta = 2) COUNT(*) FROM medical.visits
-- ## an option twice => refused
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 0.1, epsilon = 1) COUNT(*) FROM medical.visits
-- ## no groups => option-invalid
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = 0) COUNT(*) FROM medical.visits
-- ## more groups than a number holds => option-invalid
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = 99999999999999999999) COUNT(*) FROM medical.visits GROUP BY year
-- ## noise switched off => option-unknown
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (noise = 0) COUNT(*) FROM medical.visits
-- ## the mechanism of nobody => option-invalid
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (mechanism = 'none') COUNT(*) FROM medical.visits
-- ## the clause in a subquery => refused
SELECT COUNT(*) FROM (SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 1) year FROM medical.visits) AS s
-- ## a negative epsilon beside => option-invalid
-- beside {"epsilon": -1}
SELECT COUNT(*) FROM medical.visits
-- ## a delta above one beside => option-invalid
-- beside {"delta": 2}
SELECT COUNT(*) FROM medical.visits
-- ## no groups beside => option-invalid
-- beside {"max_groups_contributed": 0}
SELECT COUNT(*) FROM medical.visits
-- ## an option that is none beside => bad-request
-- beside {"noise": false}
SELECT COUNT(*) FROM medical.visits
-- ## another firm's contract beside => refused
-- beside {"contract": "other-visits"}
SELECT COUNT(*) FROM medical.visits
-- ## a purpose that was not granted beside => refused
-- beside {"purpose": "public-statistics"}
SELECT COUNT(*) FROM medical.visits

-- # Parameters
-- ## a parameter without value => parameter-missing
-- bind []
SELECT COUNT(*) FROM medical.visits WHERE year = $1
-- ## a parameter in the text of REST => parameter-missing
-- beside {}
SELECT COUNT(*) FROM medical.visits WHERE year = $1
-- ## a quotation that would end the statement => answered
-- bind ["' OR '1' = '1"]
SELECT COUNT(*) FROM medical.visits WHERE plan = $1
-- ## a canary as value => answered
-- bind ["the-only-note"]
SELECT COUNT(*) FROM medical.visits WHERE note = $1
-- ## a name as value is a value => answered
-- bind ["phone"]
SELECT COUNT($1) FROM medical.visits
-- ## more values than places => refused
-- bind [1, 2, 3]
SELECT COUNT(*) FROM medical.visits WHERE year = $1
-- ## the ninety-ninth place => refused
-- bind [1]
SELECT COUNT(*) FROM medical.visits WHERE year = $99999999
-- ## a long value => refused
-- bind ["«60000|x»"]
SELECT COUNT(*) FROM medical.visits WHERE plan = $1
-- ## a value as bound => answered
-- bind [1]
SELECT SUM(code, contribution_bounds_per_row => (0, $1)) FROM medical.visits

-- # One question, asked until the noise is gone
-- ## asked => answered
SELECT plan, SUM(cost) AS s FROM medical.visits GROUP BY plan ORDER BY plan
-- ## asked again => answered
-- like asked
SELECT plan, SUM(cost) AS s FROM medical.visits GROUP BY plan ORDER BY plan
-- ## in other letters => answered
-- like asked
select PLAN, sum(COST) as s from MEDICAL.VISITS group by PLAN order by PLAN
-- ## with a comment => answered
-- like asked
SELECT plan, SUM(cost) AS s /* 1 */ FROM glovebox.medical.visits AS v GROUP BY plan ORDER BY plan
-- ## through a subquery => answered
-- like asked
SELECT plan, SUM(c) AS s FROM (SELECT plan, cost AS c FROM medical.visits) AS q GROUP BY plan ORDER BY plan
-- ## with the defaults written out => answered
-- like asked
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 0.5, delta = 1e-9) plan, SUM(cost) AS s FROM medical.visits GROUP BY plan ORDER BY plan
-- ## with more beside it => answered
-- like asked
SELECT plan, s FROM (SELECT plan, SUM(cost) AS s FROM medical.visits GROUP BY plan) AS q ORDER BY plan
