/// The recipe of the strict service of the tests' own.
enum PlainRecipe {
    static let text = """
        name: Plain
        base: /api
        authentication: { kind: oauth2, token: /oauth/token, scope: all }
        limits: { calls: 4 }
        times: { answerMilliseconds: 900, settleMilliseconds: 1000 }
        capture: { pollMilliseconds: 20, overlapSeconds: 2, sweepSeconds: 0 }
        identity: { path: /about, instance: instance, version: release }
        discovery: { path: /openapi.json }
        errors:
          code: errors.0.code
          text: errors.0.message
          field: errors.0.field
          rules:
            - { rule: unknown-field, code: unknown_field }
            - { rule: invalid-value, code: invalid }
            - { rule: too-long, code: too_long }
            - { rule: required, code: required }
            - { rule: duplicate, code: duplicate }
            - { rule: scale, code: scale }
            - { rule: unknown-reference, code: unknown_reference }
            - { means: changed, code: stale }
        entities:
          - native: customer
            entity: customer
            key: id
            schema: Customer
            token: { header: ETag }
            reference: hub_ref
            rules: [unknown-field, invalid-value, too-long, required, duplicate, scale]
            readOnly: [id, updated_at]
            read: { path: "/customers/{key}" }
            create: { method: PUT, path: "/customers/by-ref/{reference}", once: true, tells: document }
            update: { path: "/customers/{key}", tells: document }
            delete: { path: "/customers/{key}" }
            lookUp: { path: "/customers?hub_ref={reference}", at: items }
            list: { path: "/customers?page={page}&size={limit}", at: items, paging: page }
            changes: { path: "/customers?page={page}&size={limit}&sort=updated[&updated_since={since}]", at: items, paging: page, member: updated_at }
          - native: product
            entity: product
            key: id
            schema: "#/components/schemas/Product"
            reference: hub_ref
            archived: { member: active, is: false }
            rules: [unknown-field, invalid-value, too-long, required, duplicate, scale]
            readOnly: [id, updated_at, change]
            texts: { name: { without: [nul, spaceAround], most: 500 }, note: { without: [supplementary], most: 600, in: utf16 } }
            read: { path: "/products/{key}" }
            create: { path: /products, tells: location, with: { active: true } }
            update: { path: "/products/{key}" }
            delete: { method: PATCH, path: "/products/{key}", with: { active: false } }
            lookUp: { path: "/products?hub_ref={reference}" }
            list: { path: "/products?offset={offset}&size={limit}", paging: offset }
            changes: { path: "/products?offset={offset}&size={limit}&sort=change[&changed_after={since}]", paging: offset, member: change, form: number }
          - native: order
            entity: order
            key: id
            schema: Order
            token: { member: version, sent: body }
            reference: hub_ref
            rules: [unknown-field, invalid-value, too-long, required, unknown-reference]
            readOnly: [id, updated_at, total]
            read: { path: "/orders/{key}", at: order }
            create: { path: /orders, at: order, wrap: order, tells: document, searchFirst: true }
            update: { method: PUT, path: "/orders/{key}", at: order, wrap: order, tells: document }
            lookUp: { path: "/orders?hub_ref={reference}", at: orders }
            list: { path: "/orders?size={limit}[&cursor={cursor}]", at: orders, paging: { kind: cursor, next: next } }
            changes: { path: "/orders?size={limit}&sort=updated[&updated_since={since}][&cursor={cursor}]", at: orders, paging: { kind: cursor, next: next }, member: updated_at }
        functions:
          price:
            summary: what a product costs
            parameters:
              product: { reference: product, required: true, help: the product }
              quantity: decimal
            path: "/price?product={product}[&quantity={quantity}]"
            results: { price: { at: price.amount, help: for one }, currency: price.currency }
            asOf: at
        """
}
