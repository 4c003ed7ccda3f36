-- Functions, aggregates, types, operators, casts and what hangs on them.

-- section: routine
SELECT n.nspname, '', format('%s %s', p.prokind, p.oid::regprocedure), pg_get_functiondef(p.oid)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE p.prokind <> 'a' AND @user_schema(n.nspname) AND @ours(pg_proc, p.oid)
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                      AND d.objid = p.oid AND d.deptype = 'i');

-- section: aggregate
SELECT n.nspname, '', p.oid::regprocedure::text,
       to_jsonb(a) - 'aggfnoid' - 'aggtranstype' - 'aggmtranstype' - 'aggsortop'
       || jsonb_build_object(
         'transition type', format_type(a.aggtranstype, NULL),
         'moving type', format_type(nullif(a.aggmtranstype, 0), NULL),
         'sort operator', a.aggsortop::regoperator::text,
         'arguments', pg_get_function_arguments(p.oid),
         'result', pg_get_function_result(p.oid), 'parallel', p.proparallel::text)
  FROM pg_proc p JOIN pg_aggregate a ON a.aggfnoid = p.oid
  JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE @user_schema(n.nspname) AND @ours(pg_proc, p.oid);

-- section: type
SELECT n.nspname, '', t.oid::regtype::text,
       jsonb_strip_nulls(jsonb_build_object(
         'kind', t.typtype::text, 'defined', t.typisdefined,
         'length', t.typlen, 'by value', t.typbyval, 'align', t.typalign::text,
         'storage', t.typstorage::text, 'category', t.typcategory::text,
         'preferred', t.typispreferred, 'delimiter', t.typdelim::text,
         'input', t.typinput::text, 'output', t.typoutput::text,
         'receive', t.typreceive::text, 'send', t.typsend::text,
         'modifier in', t.typmodin::text, 'modifier out', t.typmodout::text,
         'analyze', t.typanalyze::text, 'subscript', to_jsonb(t) ->> 'typsubscript',
         'element', format_type(nullif(t.typelem, 0), NULL),
         'base', format_type(nullif(t.typbasetype, 0), t.typtypmod),
         'not null', t.typnotnull, 'default', t.typdefault,
         'collation', (SELECT format('%I.%I', cn.nspname, o.collname)
                         FROM pg_collation o JOIN pg_namespace cn ON cn.oid = o.collnamespace
                        WHERE o.oid = t.typcollation),
         'labels', (SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder)
                      FROM pg_enum e WHERE e.enumtypid = t.oid),
         'range', (SELECT jsonb_build_object('of', format_type(r.rngsubtype, NULL),
                            'collation', r.rngcollation <> 0,
                            'class', (SELECT o.opcname FROM pg_opclass o WHERE o.oid = r.rngsubopc),
                            'canonical', r.rngcanonical::text, 'difference', r.rngsubdiff::text,
                            'multirange', ((to_jsonb(r) ->> 'rngmultitypid')::oid)::regtype::text)
                     FROM pg_range r WHERE r.rngtypid = t.oid)))
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE t.typrelid = 0 AND t.typtype <> 'm' AND @user_schema(n.nspname) AND @ours(pg_type, t.oid)
   AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid);

-- section: operator
SELECT n.nspname, '', o.oid::regoperator::text,
       jsonb_build_object('kind', o.oprkind::text, 'merges', o.oprcanmerge, 'hashes', o.oprcanhash,
         'result', format_type(o.oprresult, NULL), 'code', o.oprcode::regprocedure::text,
         'commutator', o.oprcom::regoperator::text, 'negator', o.oprnegate::regoperator::text,
         'restrict', o.oprrest::text, 'join', o.oprjoin::text)
  FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
 WHERE o.oprcode <> 0 AND @user_schema(n.nspname) AND @ours(pg_operator, o.oid);

-- section: operator family
SELECT n.nspname, '', format('%I.%I using %s', n.nspname, f.opfname, m.amname),
       jsonb_build_object(
         'operators', (SELECT jsonb_agg(format('%s %s %s %s', o.amopstrategy,
                              o.amopopr::regoperator, o.amoppurpose, o.amopsortfamily <> 0)
                              ORDER BY o.amopstrategy, o.amopopr::regoperator::text)
                         FROM pg_amop o WHERE o.amopfamily = f.oid),
         'functions', (SELECT jsonb_agg(format('%s (%s, %s) %s', p.amprocnum,
                              format_type(p.amproclefttype, NULL),
                              format_type(p.amprocrighttype, NULL), p.amproc::regprocedure)
                              ORDER BY p.amprocnum, p.amproc::regprocedure::text)
                         FROM pg_amproc p WHERE p.amprocfamily = f.oid))
  FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace JOIN pg_am m ON m.oid = f.opfmethod
 WHERE @user_schema(n.nspname) AND @ours(pg_opfamily, f.oid);

-- section: operator class
SELECT n.nspname, '', format('%I.%I using %s', n.nspname, c.opcname, m.amname),
       jsonb_build_object('type', format_type(c.opcintype, NULL), 'default', c.opcdefault,
         'key type', format_type(nullif(c.opckeytype, 0), NULL),
         'family', (SELECT format('%I.%I', fn.nspname, f.opfname) FROM pg_opfamily f
                      JOIN pg_namespace fn ON fn.oid = f.opfnamespace WHERE f.oid = c.opcfamily))
  FROM pg_opclass c JOIN pg_namespace n ON n.oid = c.opcnamespace JOIN pg_am m ON m.oid = c.opcmethod
 WHERE @user_schema(n.nspname) AND @ours(pg_opclass, c.oid);

-- section: cast
SELECT '', '', format('%s to %s', format_type(k.castsource, NULL), format_type(k.casttarget, NULL)),
       format('%s %s %s', k.castfunc::regprocedure, k.castcontext, k.castmethod)
  FROM pg_cast k WHERE @ours(pg_cast, k.oid);

-- section: transform
SELECT '', '', format('%s for %s', format_type(t.trftype, NULL), l.lanname),
       format('%s %s', t.trffromsql::regprocedure, t.trftosql::regprocedure)
  FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE @ours(pg_transform, t.oid);

-- section: conversion
SELECT n.nspname, '', format('%I.%I', n.nspname, c.conname),
       format('%s %s %s %s', pg_encoding_to_char(c.conforencoding), pg_encoding_to_char(c.contoencoding),
              c.conproc, c.condefault)
  FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace
 WHERE @user_schema(n.nspname) AND @ours(pg_conversion, c.oid);

-- section: collation
SELECT n.nspname, '', format('%I.%I', n.nspname, c.collname),
       jsonb_strip_nulls(to_jsonb(c) - 'oid' - 'collnamespace' - 'collowner' - 'collversion')
  FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
 WHERE @user_schema(n.nspname) AND @ours(pg_collation, c.oid);

-- section: text search parser
SELECT n.nspname, '', format('%I.%I', n.nspname, p.prsname),
       to_jsonb(p) - 'oid' - 'prsnamespace'
  FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace
 WHERE @user_schema(n.nspname) AND @ours(pg_ts_parser, p.oid);

-- section: text search template
SELECT n.nspname, '', format('%I.%I', n.nspname, t.tmplname),
       to_jsonb(t) - 'oid' - 'tmplnamespace'
  FROM pg_ts_template t JOIN pg_namespace n ON n.oid = t.tmplnamespace
 WHERE @user_schema(n.nspname) AND @ours(pg_ts_template, t.oid);

-- section: text search dictionary
SELECT n.nspname, '', format('%I.%I', n.nspname, d.dictname),
       format('%I.%I %s', tn.nspname, t.tmplname, d.dictinitoption)
  FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace
  JOIN pg_ts_template t ON t.oid = d.dicttemplate JOIN pg_namespace tn ON tn.oid = t.tmplnamespace
 WHERE @user_schema(n.nspname) AND @ours(pg_ts_dict, d.oid);

-- section: text search configuration
SELECT n.nspname, '', format('%I.%I', n.nspname, c.cfgname),
       jsonb_build_object('parser', (SELECT format('%I.%I', pn.nspname, p.prsname) FROM pg_ts_parser p
                                       JOIN pg_namespace pn ON pn.oid = p.prsnamespace
                                      WHERE p.oid = c.cfgparser),
         'map', (SELECT jsonb_agg(format('%s %s %s', m.maptokentype, m.mapseqno, m.mapdict::regdictionary)
                                  ORDER BY m.maptokentype, m.mapseqno)
                   FROM pg_ts_config_map m WHERE m.mapcfg = c.oid))
  FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace
 WHERE @user_schema(n.nspname) AND @ours(pg_ts_config, c.oid);
