"""What the tests of lab 5 ask its service."""

CUSTOMER = {
    "tenure_months": 3,
    "age": 27,
    "monthly_charges": 84.5,
    "support_calls": 4,
    "usage_gb": 41.0,
    "contract": "month-to-month",
    "internet": "fiber",
    "payment": "invoice",
}
