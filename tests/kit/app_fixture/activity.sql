-- A little business: customers, articles, documents with their lines, payments and delivery notes.
SET app.user_id = '1';
INSERT INTO ref.localidad (nombre, id_provincia) SELECT 'Localidad ' || id, id FROM ref.provincia;
INSERT INTO app.entidad_comercial (razon_social, cuit, id_localidad, id_condicion_iva, tipo, fecha_creacion)
SELECT 'Cliente ' || g, '20-1234567-' || g % 10, (SELECT min(id) FROM ref.localidad) + g % 5,
       (SELECT min(id) FROM ref.condicion_iva), CASE WHEN g % 4 = 0 THEN 'AMBOS' ELSE 'CLIENTE' END, '2026-01-01'
  FROM generate_series(1, 20) g;
INSERT INTO app.lista_cliente (id_entidad, id_lista_precio) SELECT id, (SELECT min(id) FROM ref.lista_precio) FROM app.entidad_comercial;
INSERT INTO app.articulo (nombre, id_marca, id_rubro, id_tipo_iva, id_unidad, id_proveedor, costo, stock)
SELECT 'Artículo ' || g, (SELECT min(id) FROM ref.marca), (SELECT min(id) FROM ref.rubro), (SELECT max(id) FROM ref.tipo_iva),
       (SELECT min(id) FROM ref.unidad_medida), (SELECT min(id) FROM app.entidad_comercial), g * 1.5, 100 FROM generate_series(1, 30) g;
INSERT INTO app.articulo_precio SELECT a.id, l.id, a.costo * (1 + l.id / 10.0) FROM app.articulo a, ref.lista_precio l;
INSERT INTO app.documento (id_tipo_documento, id_entidad, id_lista_precio, id_deposito, id_usuario, fecha, numero, estado, neto, total)
SELECT (SELECT min(id) FROM ref.tipo_documento), e.id, (SELECT min(id) FROM ref.lista_precio), (SELECT min(id) FROM ref.deposito),
       (SELECT min(id) FROM seguridad.usuario), '2026-01-10'::timestamptz + e.id * interval '1 day', 'A-' || e.id, 'CONFIRMADO', e.id * 100, e.id * 121
  FROM app.entidad_comercial e;
INSERT INTO app.documento_detalle (id_documento, nro_linea, id_articulo, cantidad, precio_unitario)
SELECT d.id, n, (SELECT min(id) FROM app.articulo) + (d.id + n) % 30, n, 10.5 FROM app.documento d, generate_series(1, 3) n;
INSERT INTO app.pago (id_documento, id_forma_pago, monto, fecha) SELECT id, (SELECT min(id) FROM ref.forma_pago), total, fecha FROM app.documento WHERE id % 2 = 0;
INSERT INTO app.remito (numero, id_documento, id_entidad) SELECT 'R-' || id, id, id_entidad FROM app.documento WHERE id % 3 = 0;
INSERT INTO app.remito_detalle SELECT r.id, 1, (SELECT min(id) FROM app.articulo), 2 FROM app.remito r;
INSERT INTO app.movimiento_articulo (id_articulo, id_tipo_movimiento, cantidad, fecha)
SELECT id, (SELECT min(id) FROM ref.tipo_movimiento), 100, '2026-01-02' FROM app.articulo;
INSERT INTO app.articulo_proveedor SELECT id, id_proveedor, 'C' || id FROM app.articulo;
INSERT INTO app.saldo_deposito SELECT id, (SELECT min(id) FROM ref.deposito), stock FROM app.articulo;
INSERT INTO app.cuenta_corriente (id_entidad, concepto, monto, fecha) SELECT id, 'Factura', 121, '2026-01-15' FROM app.entidad_comercial;
