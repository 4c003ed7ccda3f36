-- Objects that live in no schema, and the database itself.

-- section: extension
SELECT '', '', quote_ident(e.extname),
       jsonb_strip_nulls(jsonb_build_object('version', e.extversion, 'schema', n.nspname,
         'configuration', (SELECT jsonb_agg(r::regclass::text) FROM unnest(e.extconfig) r),
         'conditions', to_jsonb(e.extcondition)))
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
 WHERE e.oid >= 16384;

-- section: depends on extension
SELECT '', '', format('%s on %I', (pg_identify_object(d.classid, d.objid, d.objsubid)).identity, e.extname), ''
  FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
 WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'x';

-- section: language
SELECT '', '', quote_ident(l.lanname),
       format('%s %s %s %s', l.lanpltrusted, l.lanplcallfoid::regproc, l.laninline::regproc,
              l.lanvalidator::regproc)
  FROM pg_language l WHERE @ours(pg_language, l.oid);

-- section: access method
SELECT '', '', quote_ident(a.amname), format('%s %s', a.amtype, a.amhandler)
  FROM pg_am a WHERE @ours(pg_am, a.oid);

-- section: foreign data wrapper
SELECT '', '', quote_ident(w.fdwname),
       format('%s %s %s', w.fdwhandler::regproc, w.fdwvalidator::regproc,
              (SELECT array_agg(o ORDER BY o COLLATE "C") FROM unnest(w.fdwoptions) o))
  FROM pg_foreign_data_wrapper w WHERE @ours(pg_foreign_data_wrapper, w.oid);

-- section: server
SELECT '', '', quote_ident(s.srvname),
       jsonb_build_object('wrapper', w.fdwname, 'type', s.srvtype, 'version', s.srvversion,
                          'options',
                          (SELECT jsonb_agg(o ORDER BY o COLLATE "C") FROM unnest(s.srvoptions) o))
  FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
 WHERE @ours(pg_foreign_server, s.oid);

-- section: user mapping
SELECT '', '', format('%s on %I', CASE u.umuser WHEN 0 THEN 'PUBLIC'
                      ELSE pg_get_userbyid(u.umuser)::text END, s.srvname),
       (SELECT array_agg(o ORDER BY o COLLATE "C") FROM unnest(u.umoptions) o)::text
  FROM pg_user_mapping u JOIN pg_foreign_server s ON s.oid = u.umserver;

-- section: event trigger
SELECT '', '', quote_ident(e.evtname),
       format('%s %s %s %s', e.evtevent, e.evttags, e.evtfoid::regproc, e.evtenabled)
  FROM pg_event_trigger e WHERE @ours(pg_event_trigger, e.oid);

-- section: publication
SELECT '', '', quote_ident(p.pubname), to_jsonb(p) - 'oid' - 'pubowner' - 'pubname'
  FROM pg_publication p;

-- section: publication table
SELECT '', '', format('%s in %I', r.prrelid::regclass, p.pubname), ''
  FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid;

-- section: publication filter (15+)
SELECT '', '', format('%s in %I', r.prrelid::regclass, p.pubname),
       format('%s %s', pg_get_expr(r.prqual, r.prrelid),
              (SELECT array_agg(a.attname ORDER BY a.attname COLLATE "C") FROM pg_attribute a
                WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs::int2[])))
  FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid;

-- section: publication schema (15+)
SELECT '', '', format('%I in %I', n.nspname, p.pubname), ''
  FROM pg_publication_namespace s JOIN pg_publication p ON p.oid = s.pnpubid
  JOIN pg_namespace n ON n.oid = s.pnnspid;

-- section: subscription
SELECT '', '', quote_ident(s.subname),
       to_jsonb(s) - 'oid' - 'subdbid' - 'subowner' - 'subname' - 'subskiplsn'
  FROM pg_subscription s
 WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database());

-- section: database
SELECT '', '', v.key, v.value
  FROM pg_database d CROSS JOIN LATERAL (
       VALUES ('encoding', pg_encoding_to_char(d.encoding)), ('collate', d.datcollate::text),
              ('ctype', d.datctype::text), ('owner', pg_get_userbyid(d.datdba)::text),
              ('connection limit', d.datconnlimit::text),
              ('comment', shobj_description(d.oid, 'pg_database')),
              ('grants', (SELECT string_agg(format('%s=%s/%s', coalesce(g.rolname, 'PUBLIC'),
                                 a.privilege_type, pg_get_userbyid(a.grantor)), ' '
                                 ORDER BY g.rolname COLLATE "C" NULLS FIRST, a.privilege_type COLLATE "C")
                            FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
                            LEFT JOIN pg_roles g ON g.oid = a.grantee)),
              ('settings', (SELECT string_agg(format('%s: %s', coalesce(g.rolname, 'all'), o.setting),
                                   ' ' ORDER BY g.rolname COLLATE "C" NULLS FIRST, o.setting COLLATE "C")
                              FROM pg_db_role_setting s LEFT JOIN pg_roles g ON g.oid = s.setrole,
                                   unnest(s.setconfig) o (setting)
                             WHERE s.setdatabase = d.oid))) v (key, value)
 WHERE d.datname = current_database();
