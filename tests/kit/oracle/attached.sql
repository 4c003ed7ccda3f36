-- What is attached to objects of any kind: comments, default privileges, grants on columns.

-- section: comment
SELECT coalesce(o.schema, ''), coalesce(CASE WHEN o.type LIKE '%table%' OR o.type LIKE '%view%'
         OR o.type = 'sequence' THEN o.name END, ''),
       format('%s %s', o.type, o.identity), d.description
  FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) o
 WHERE o.identity IS NOT NULL AND (d.objoid >= 16384
    OR (d.classoid = 'pg_namespace'::regclass
        AND d.objoid = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'public')));

-- section: default privileges
SELECT coalesce(n.nspname, ''), '',
       format('%s in %s on %s', pg_get_userbyid(d.defaclrole), coalesce(n.nspname, '(any)'), d.defaclobjtype),
       (SELECT string_agg(format('%s=%s%s/%s', coalesce(g.rolname, 'PUBLIC'), a.privilege_type,
                          CASE WHEN a.is_grantable THEN '*' END, pg_get_userbyid(a.grantor)), ' '
                          ORDER BY g.rolname COLLATE "C" NULLS FIRST, a.privilege_type COLLATE "C")
          FROM aclexplode(d.defaclacl) a LEFT JOIN pg_roles g ON g.oid = a.grantee)
  FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace;

-- section: column grants
SELECT n.nspname, c.relname, format('%I.%I.%I', n.nspname, c.relname, a.attname),
       (SELECT string_agg(format('%s=%s%s/%s', coalesce(g.rolname, 'PUBLIC'), x.privilege_type,
                          CASE WHEN x.is_grantable THEN '*' END, pg_get_userbyid(x.grantor)), ' '
                          ORDER BY g.rolname COLLATE "C" NULLS FIRST, x.privilege_type COLLATE "C")
          FROM aclexplode(a.attacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE a.attacl <> '{}' AND NOT a.attisdropped
   AND a.attacl IS DISTINCT FROM (SELECT i.initprivs FROM pg_init_privs i
        WHERE i.classoid = 'pg_class'::regclass AND i.objoid = c.oid AND i.objsubid = a.attnum);
