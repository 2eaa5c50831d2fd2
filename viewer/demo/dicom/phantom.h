/*
 * The body whose images the demo shows: nobody's. Coordinates are the patient's (PS3.3 §C.7.6.2.1.1: x to his left, y to his back, z to his
 * head) in mm from the middle; what stands further down in the table lies over what stands above.
 *
 *   part     shape                  centre           radii          HU     SUV
 *   body     elliptical cylinder    0, 0             160, 110       40     1
 *   lungs    ellipsoid              ±75, -5, 0       60, 80, 130    -800   0.5
 *   heart    sphere                 25, -35, -30     45             50     2
 *   spine    cylinder               0, 75            18             700    1
 *   aorta    cylinder               28, 48           12             180    1.5
 *   nodule   sphere                 -80, -20, 20     8 (prior: 5)   30     5
 *   water    sphere                 75, -20, 60      15             0      1
 *   rod      cylinder               0, -90           10             1000   1
 *
 * Pictures: CT 512 × 512 of 0.7 mm, slices over 300 mm in z; PET 128 × 128 of 4 mm, likewise; both stored exactly, without noise.
 * CR 720 × 600 of 0.5 mm seen from the front, with a square of 20 mm at the patient's left shoulder (MONOCHROME1: dark is much).
 * US 640 × 480, one region (80, 40)–(559, 439) of 0.25 mm per pixel; two bright points 200 pixels = 50 mm apart; 30 images at 25 a second.
 * MG 512 × 640 of 0.4 mm: half an ellipse of 100 × 110 mm radii at the chest wall, a round mass of 6 mm radius 60 mm before it.
 */
#ifndef CN_VIEWER_DEMO_DICOM_PHANTOM_H
#define CN_VIEWER_DEMO_DICOM_PHANTOM_H

#include <stdbool.h>
#include <stdint.h>

#define CN_CT_SIDE 512
#define CN_CT_SPACING 0.7
#define CN_PT_SIDE 128
#define CN_PT_SPACING 4.0
#define CN_PHANTOM_LENGTH 300.0 /* mm in z that the slices cover */
#define CN_CR_WIDTH 720
#define CN_CR_HEIGHT 600
#define CN_CR_SPACING 0.5
#define CN_US_WIDTH 640
#define CN_US_HEIGHT 480
#define CN_US_FRAMES 30
#define CN_MG_WIDTH 512
#define CN_MG_HEIGHT 640
#define CN_MG_SPACING 0.4

/** z of slice `slice` of `count` in mm, feet first. */
double cn_phantom_z(unsigned slice, unsigned count);
/** CN_CT_SIDE² values of HU + 1024. `prior`: as it was before. */
void cn_phantom_ct(double z, bool prior, uint16_t *out);
/** CN_PT_SIDE² values of SUV × 1000. */
void cn_phantom_pt(double z, uint16_t *out);
/** CN_CR_WIDTH × CN_CR_HEIGHT values of 12 bits: what passed. MONOCHROME1 shows much as dark. */
void cn_phantom_cr(uint16_t *out);
/** CN_US_FRAMES pictures of CN_US_WIDTH × CN_US_HEIGHT RGB. */
void cn_phantom_us(uint8_t *out);
/** CN_MG_WIDTH × CN_MG_HEIGHT values of 12 bits. `left`: the left breast, chest wall at the picture's left edge. */
void cn_phantom_mg(bool left, bool oblique, uint16_t *out);

#endif
