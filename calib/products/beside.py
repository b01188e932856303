"""The product that was certified when a set was begun, beside which its candidates are shown."""

from calib.certification import lookup_one
from calib.models import Product
from calib.products.gate import usual_validity


def incumbent_of(product: Product) -> Product | None:
    """What would have been used for the product's slot that night, had its set not been made (two queries)."""
    made = product.product_set
    found = lookup_one(
        product.camera,
        usual_validity(product.day_obs),
        product.type,
        product.detector,
        product.filter,
        known_at=made.created_at,
    )
    return None if found is None or found.product == product.pk else Product.objects.get(pk=found.product)
