-- Tables, views, columns, constraints, indexes, triggers, rules, policies, sequences.

-- section: schema
SELECT n.nspname, '', quote_ident(n.nspname), ''
  FROM pg_namespace n
 WHERE @user_schema(n.nspname) AND (n.nspname = 'public' OR @ours(pg_namespace, n.oid));

-- section: relation
SELECT n.nspname, c.relname, format('%I.%I', n.nspname, c.relname),
       jsonb_strip_nulls(jsonb_build_object(
         'kind', c.relkind::text,
         'persistence', c.relpersistence::text,
         'options', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(c.reloptions) o),
         'toast options', (SELECT jsonb_agg(o ORDER BY o)
                             FROM pg_class t, unnest(t.reloptions) o WHERE t.oid = c.reltoastrelid),
         'access method', (SELECT a.amname FROM pg_am a WHERE a.oid = c.relam),
         'tablespace', (SELECT s.spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace),
         'replica identity', c.relreplident::text,
         'row security', c.relrowsecurity,
         'forced row security', c.relforcerowsecurity,
         'of type', nullif(c.reloftype, 0)::regtype::text,
         'partition key', pg_get_partkeydef(c.oid),
         'partition bound', pg_get_expr(c.relpartbound, c.oid),
         'parents', (SELECT jsonb_agg(i.inhparent::regclass::text ORDER BY i.inhseqno)
                       FROM pg_inherits i WHERE i.inhrelid = c.oid),
         'populated', c.relispopulated,
         'view', CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
         'server', (SELECT s.srvname FROM pg_foreign_table f
                      JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = c.oid),
         'foreign options', (SELECT jsonb_agg(o ORDER BY o COLLATE "C")
                               FROM pg_foreign_table f, unnest(f.ftoptions) o WHERE f.ftrelid = c.oid)))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND c.relpersistence <> 't'
   AND @user_schema(n.nspname) AND @ours(pg_class, c.oid);

-- The server keeps an option pg_attver of its own on columns; it means nothing outside.
-- section: column
SELECT n.nspname, c.relname, format('%I.%I.%I', n.nspname, c.relname, a.attname),
       jsonb_strip_nulls(jsonb_build_object(
         'type', format_type(a.atttypid, a.atttypmod),
         'not null', a.attnotnull,
         'default', pg_get_expr(d.adbin, d.adrelid),
         'identity', nullif(a.attidentity::text, ''),
         'generated', nullif(a.attgenerated::text, ''),
         'storage', a.attstorage::text,
         'compression', nullif(to_jsonb(a) ->> 'attcompression', ''),
         'collation', (SELECT format('%I.%I', cn.nspname, o.collname)
                         FROM pg_collation o JOIN pg_namespace cn ON cn.oid = o.collnamespace
                        WHERE o.oid = a.attcollation),
         'statistics', nullif(a.attstattarget, -1),
         'local', CASE WHEN NOT c.relispartition THEN a.attislocal END,
         'options', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(a.attoptions) o
                      WHERE o NOT LIKE 'pg\_attver=%'),
         'foreign options', (SELECT jsonb_agg(o ORDER BY o COLLATE "C") FROM unnest(a.attfdwoptions) o)))
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attnum > 0 AND NOT a.attisdropped
   AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND c.relpersistence <> 't'
   AND @user_schema(n.nspname) AND @ours(pg_class, c.oid);

-- A child created again gets its parents' columns first, so the order of children is not told.
-- section: column order
SELECT n.nspname, c.relname, format('%I.%I', n.nspname, c.relname),
       string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE a.attnum > 0 AND NOT a.attisdropped
   AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND c.relpersistence <> 't'
   AND (c.relispartition OR NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid))
   AND @user_schema(n.nspname) AND @ours(pg_class, c.oid)
 GROUP BY n.nspname, c.relname;

-- section: constraint
SELECT n.nspname, coalesce(c.relname, ''),
       format('%I on %s', k.conname, CASE WHEN k.conrelid <> 0
              THEN k.conrelid::regclass::text ELSE k.contypid::regtype::text END),
       jsonb_build_object('definition', pg_get_constraintdef(k.oid), 'valid', k.convalidated)
  FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
  LEFT JOIN pg_class c ON c.oid = k.conrelid
 WHERE k.contype <> 't' AND @user_schema(n.nspname)
   AND (k.conrelid = 0 OR @ours(pg_class, k.conrelid))
   AND (k.contypid = 0 OR @ours(pg_type, k.contypid));

-- section: index
SELECT n.nspname, t.relname, format('%I.%I', n.nspname, c.relname),
       jsonb_strip_nulls(jsonb_build_object(
         'definition', pg_get_indexdef(c.oid),
         'clustered', i.indisclustered,
         'replica identity', i.indisreplident,
         'valid', i.indisvalid,
         'tablespace', (SELECT s.spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace),
         'parent', (SELECT h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = c.oid),
         'statistics', (SELECT jsonb_object_agg(a.attnum, a.attstattarget) FROM pg_attribute a
                         WHERE a.attrelid = c.oid AND a.attstattarget >= 0)))
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE (i.indisvalid OR c.relkind = 'I') AND c.relpersistence <> 't'
   AND @user_schema(n.nspname) AND @ours(pg_class, t.oid);

-- section: trigger
SELECT n.nspname, c.relname, format('%I on %I.%I', g.tgname, n.nspname, c.relname),
       jsonb_build_object('definition', pg_get_triggerdef(g.oid), 'enabled', g.tgenabled::text)
  FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT g.tgisinternal AND @user_schema(n.nspname) AND @ours(pg_trigger, g.oid);

-- section: rule
SELECT n.nspname, c.relname, format('%I on %I.%I', r.rulename, n.nspname, c.relname),
       jsonb_build_object('definition', pg_get_ruledef(r.oid), 'enabled', r.ev_enabled::text)
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE r.rulename <> '_RETURN' AND @user_schema(n.nspname) AND @ours(pg_class, c.oid);

-- section: policy
SELECT n.nspname, c.relname, format('%I on %I.%I', p.polname, n.nspname, c.relname),
       jsonb_strip_nulls(jsonb_build_object(
         'command', p.polcmd::text, 'permissive', p.polpermissive,
         'roles', (SELECT jsonb_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r)::text END
                                    ORDER BY pg_get_userbyid(r)) FROM unnest(p.polroles) r),
         'using', pg_get_expr(p.polqual, p.polrelid),
         'check', pg_get_expr(p.polwithcheck, p.polrelid)))
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE @ours(pg_policy, p.oid);

-- section: sequence
SELECT n.nspname, c.relname, format('%I.%I', n.nspname, c.relname),
       jsonb_strip_nulls(to_jsonb(s) - 'seqrelid' - 'seqtypid' || jsonb_build_object(
         'type', format_type(s.seqtypid, NULL), 'persistence', c.relpersistence::text,
         'owned by', (SELECT format('%s %s.%I', d.deptype, d.refobjid::regclass, a.attname)
                        FROM pg_depend d JOIN pg_attribute a
                          ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                       WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                         AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))))
  FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relpersistence <> 't' AND @user_schema(n.nspname) AND @ours(pg_class, c.oid);

-- section: statistics object
SELECT n.nspname, '', format('%I.%I', n.nspname, s.stxname),
       jsonb_build_object('definition', pg_get_statisticsobjdef(s.oid),
                          'target', nullif(to_jsonb(s) ->> 'stxstattarget', '-1'))
  FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
 WHERE @ours(pg_statistic_ext, s.oid);
