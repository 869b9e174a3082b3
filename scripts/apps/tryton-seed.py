"""Gives a new Tryton what a trading company has: accounts, a fiscal year, tax, terms, one product in stock, one customer, one paid sale.

Usage: tryton-seed.py CONFIGURATION DATABASE-URI. Works on series 8.0 and 6.0, through proteus, so that every rule of Tryton's applies.
"""
import datetime
import sys
from decimal import Decimal

from proteus import Model, Wizard, config

YEAR = datetime.date.today().year


def get(model, domain=(), /, **values):
    """The first record that the domain holds, else a new one with these values."""
    Type = Model.get(model)
    found = Type.find(list(domain), limit=1)
    if found or not values:
        return found[0] if found else None
    record = Type(**values)
    record.save()
    return record


def known(record, **values):
    """Sets those of the values that this series has a field for."""
    for name, value in values.items():
        if name in record._fields:
            setattr(record, name, value)


def make_company(connection):
    euro = get('currency.currency', [('code', '=', 'EUR')]) or Model.get('currency.currency')(
        name='Euro', code='EUR', symbol='€', rounding=Decimal('0.01'), digits=2)
    if not euro.rates:
        rate = euro.rates.new()
        rate.date, rate.rate = datetime.date(YEAR, 1, 1), Decimal(1)
    euro.save()
    wizard = Wizard('company.company.config')
    wizard.execute('company')
    wizard.form.party = get('party.party', [('name', '=', 'House')], name='House')
    wizard.form.currency = euro
    wizard.execute('add')
    company = get('company.company')
    user = get('res.user', [('login', '=', 'admin')])
    if 'companies' in user._fields:
        user.companies.append(Model.get('company.company')(company.id))
    else:
        user.main_company = company
    user.company = company
    user.save()
    connection._context = Model.get('res.user').get_preferences(True, connection.context)
    return company


def account(kind):
    return get('account.account', [('type.' + kind, '=', True), ('closed', '!=', True)])


def make_accounts(company):
    wizard = Wizard('account.create_chart')
    wizard.execute('account')
    wizard.form.account_template = get('account.account.template', [('parent', '=', None)])
    wizard.form.company = company
    wizard.execute('create_account')
    wizard.form.account_receivable = account('receivable')
    wizard.form.account_payable = account('payable')
    wizard.execute('create_properties')
    settings = Model.get('account.configuration')(1)
    settings.default_account_receivable = account('receivable')
    settings.default_account_payable = account('payable')
    settings.save()

    def sequence(model, kind):
        made = Model.get(model)(name=f'{kind} {YEAR}', company=company, sequence_type=get('ir.sequence.type', [('name', '=', kind)]))
        made.save()
        return made

    year = Model.get('account.fiscalyear')(
        name=str(YEAR), company=company, start_date=datetime.date(YEAR, 1, 1), end_date=datetime.date(YEAR, 12, 31))
    if 'move_sequence' in year._fields:
        year.move_sequence = sequence('ir.sequence.strict', 'Account Move')
    else:
        year.post_move_sequence = sequence('ir.sequence', 'Account Move')
    numbers = year.invoice_sequences[0] if year.invoice_sequences else year.invoice_sequences.new()
    strict = sequence('ir.sequence.strict', 'Invoice')
    for direction in ('out', 'in'):
        for kind in ('invoice', 'credit_note'):
            setattr(numbers, f'{direction}_{kind}_sequence', strict)
    year.save()
    year.click('create_period')


def make_trade():
    """Tax, terms, a way to pay, an accounting category, a product and a customer."""
    liability = get('account.account', [('name', 'ilike', '%tax%'), ('type', '!=', None)]) or account('receivable')
    tax = Model.get('account.tax')(
        name='VAT 20%', description='VAT 20%', type='percentage', rate=Decimal('0.20'), invoice_account=liability,
        credit_note_account=liability)
    tax.save()
    term = Model.get('account.invoice.payment_term')(name='30 days')
    term.lines.new(type='remainder').relativedeltas.new(days=30)
    term.save()
    cash = get('account.account', [('name', 'ilike', '%cash%'), ('type', '!=', None), ('closed', '!=', True)])
    get('account.invoice.payment.method', name='Cash', journal=get('account.journal', [('type', '=', 'cash')]),
        credit_account=cash, debit_account=cash)
    category = Model.get('product.category')(
        name='Goods (accounting)', accounting=True, account_revenue=account('revenue'), account_expense=account('expense'))
    category.customer_taxes.append(tax)
    category.save()
    template = Model.get('product.template')(
        name='Widget', type='goods', salable=True, default_uom=get('product.uom', [('name', '=', 'Unit')]),
        list_price=Decimal('25.00'), account_category=category)
    known(template, cost_price_method='fixed')
    known(template.products[0], suffix_code='WID-1')
    template.save()
    customer = Model.get('party.party')(name='Acme', customer_payment_term=term, credit_limit_amount=Decimal('1000'))
    customer.addresses[0].street, customer.addresses[0].city = '1 Road', 'Paris'
    customer.save()
    return template.products[0], customer, term


def fill_stock(product, quantity):
    inventory = Model.get('stock.inventory')(location=get('stock.location', [('code', '=', 'STO')]))
    inventory.lines.new(product=product, quantity=quantity)
    inventory.click('confirm')


def sell(product, customer, term):
    sale = Model.get('sale.sale')(party=customer, payment_term=term, reference='SEED-1')
    # The names of the ways to invoice differ between the series.
    ways = [key for key, _ in Model.get('sale.sale').fields_get(['invoice_method'], {})['invoice_method']['selection']]
    sale.invoice_method = 'fulfillment' if 'fulfillment' in ways else 'shipment'
    line = sale.lines.new()
    line.product, line.quantity = product, 4.0
    if line.unit_price is None:
        line.unit_price = Decimal('25')
    sale.save()
    for step in ('quote', 'confirm'):
        sale.click(step)
    if sale.state == 'confirmed':
        sale.click('process')
    shipment, = sale.shipments
    shipment.click('assign_try')
    shipment.click('pick')
    shipment.click('pack')
    try:
        shipment.click('do')
    except Exception:
        shipment.click('done')
    sale.reload()
    invoice, = sale.invoices
    invoice.invoice_date = datetime.date.today()
    invoice.click('post')
    payment = Wizard('account.invoice.pay', [invoice])
    payment.form.payment_method = get('account.invoice.payment.method')
    payment.form.date = datetime.date.today()
    payment.execute('choice')
    invoice.reload()
    assert invoice.state == 'paid', invoice.state


def main():
    connection = config.set_trytond(sys.argv[2], config_file=sys.argv[1])
    if get('company.company'):
        return
    company = make_company(connection)
    make_accounts(company)
    product, customer, term = make_trade()
    fill_stock(product, 1000.0)
    sell(product, customer, term)
    # Countries, of which addresses tell the code.
    for code, name in (('FR', 'France'), ('DE', 'Germany'), ('US', 'United States')):
        get('country.country', [('code', '=', code)], code=code, name=name)


main()
